// What ordinary C++ programs ask of the kernel.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

int main() {
  std::atomic<int> sum{0};
  std::shared_mutex shared;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 1000; ++n) {
        const std::shared_lock lock(shared);
        sum += i;
      }
      const std::unique_lock lock(shared);
    });
  }
  for (auto& thread : threads)
    thread.join();
  auto later = std::async(std::launch::async, [] { return 7; });
  std::timed_mutex timed;
  std::cout << sum << ' ' << later.get() << ' ' << timed.try_lock_for(std::chrono::milliseconds(1))
            << '\n';
  std::condition_variable condition;
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::cout << (condition.wait_for(lock, std::chrono::milliseconds(1)) == std::cv_status::timeout)
            << '\n';
  namespace files = std::filesystem;
  files::create_directories("tmp/a/b");
  std::ofstream("tmp/a/b/one") << "text";
  files::copy("tmp/a", "tmp/c", files::copy_options::recursive);
  files::rename("tmp/c/b/one", "tmp/c/b/two");
  files::permissions("tmp/c/b/two", files::perms::owner_read);
  std::cout << files::file_size("tmp/c/b/two") << ' ' << (files::space("tmp").capacity > 0) << ' '
            << files::remove_all("tmp/a") << '\n';
  auto large = std::make_unique<std::vector<double>>(3'000'000, 1.5);
  large->shrink_to_fit();
  std::cout << large->back() << ' ' << (std::random_device{}() >= 0) << '\n';
  try {
    throw std::runtime_error("thrown");
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
  }
  std::thread([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }).join();
  return EXIT_SUCCESS;
}
