#include "launcher/mappings.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/descriptor.h"
#include "core/directory.h"
#include "launcher/tasks.h"

namespace codejail {
namespace {

constexpr std::uint64_t kOrdinary = 1024;
constexpr std::uint64_t kBytesOfEach = 1024;

// Lines of a `maps` file, none of a task that has ended; -1 where it can't be read.
std::int64_t count_lines(int directory, const char* path) {
  const Descriptor file(openat(directory, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return is_of_ended_task(errno) ? 0 : -1;
  }
  char text[4096];
  std::int64_t lines = 0;
  ssize_t count = 0;
  while ((count = read(file.get(), text, sizeof(text))) > 0) {
    lines += std::count(text, text + count, '\n');
  }
  return count < 0 && !is_of_ended_task(errno) ? -1 : lines;
}

// The mappings of a process whose first thread has ended show with the others only.
std::int64_t count_by_threads(int proc, pid_t process) {
  char path[64];
  (void)std::snprintf(path, sizeof(path), "%d/task", process);
  const Directory tasks =
      directory_of(Descriptor(openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!tasks) {
    return 0;
  }
  std::int64_t lines = 0;
  const dirent* task = nullptr;
  while (lines == 0 && (task = readdir(tasks.get())) != nullptr) {
    if (const long number = std::strtol(task->d_name, nullptr, 10); number > 0) {
      (void)std::snprintf(path, sizeof(path), "%ld/maps", number);
      lines = count_lines(dirfd(tasks.get()), path);
    }
  }
  return lines;
}

}  // namespace

std::uint64_t mapping_bytes(std::uint64_t mappings) {
  return mappings > kOrdinary ? (mappings - kOrdinary) * kBytesOfEach : 0;
}

bool read_mapping_bytes(int proc, pid_t process, std::uint64_t& bytes) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%d/maps", process);
  std::int64_t lines = count_lines(proc, path);
  if (lines == 0) {
    lines = count_by_threads(proc, process);
  }
  bytes = lines > 0 ? mapping_bytes(static_cast<std::uint64_t>(lines)) : 0;
  return lines >= 0;
}

}  // namespace codejail
