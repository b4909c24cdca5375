#include "addon/read_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/collect_worker.h"
#include "addon/javascript.h"
#include "core/descriptor.h"

namespace codejail {
namespace {

// Of one file: what every supported Node takes as one Buffer.
constexpr std::uint64_t kLargestBuffer = 0x7fffffff;
// A smaller one is copied into memory of V8's own.
constexpr std::size_t kLargeContent = 16384;

// The bytes of one file. A vector would end the process where there is no memory for them.
class Content {
 public:
  bool reserve(std::size_t size) {
    bytes_.reset(static_cast<char*>(std::malloc(size == 0 ? 1 : size)));
    return bytes_ != nullptr;
  }
  // Whether all of it could be read, as far as it goes; errno says why not.
  bool fill(int file, std::size_t size) {
    while (size_ < size) {
      const ssize_t count = read(file, bytes_.get() + size_, size - size_);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return count == 0;
      }
      size_ += static_cast<std::size_t>(count);
    }
    return true;
  }
  // A Buffer of it. A large one takes the memory over.
  Napi::Value release(Napi::Env env) {
    return size_ < kLargeContent
               ? Napi::Buffer<char>::Copy(env, bytes_.get(), size_)
               : Napi::Buffer<char>::NewOrCopy(env, bytes_.release(), size_,
                                               [](Napi::Env, char* memory) { std::free(memory); });
  }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
};

class ReadWorker : public CollectWorker {
 public:
  ReadWorker(Napi::Env env, int directory, std::vector<std::string> paths, std::uint64_t limit)
      : CollectWorker(env, directory), paths_(std::move(paths)), limit_(limit) {}

  void Execute() override {
    for (const std::string& path : paths_) {
      if (!read_file(path)) {
        return;
      }
    }
  }

 private:
  // Either the bytes, or why there are none: an errno of the program's doing, 0 for what is no
  // regular file.
  struct File {
    std::optional<Content> content;
    int error = 0;
  };

  bool read_file(const std::string& path) {
    // O_NONBLOCK: nothing can wait on a FIFO that stands where a file stood.
    Descriptor file(sys_openat2(directory(), path.c_str(),
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                                kResolve));
    struct stat status {};
    if (!file.valid() || fstat(file.get(), &status) != 0) {
      if (!is_programs_doing(errno)) {
        fail(file.valid() ? "fstat" : "openat2", errno, path);
        return false;
      }
      files_.push_back({std::nullopt, errno});
      return true;
    }
    if (!S_ISREG(status.st_mode)) {
      files_.push_back({});
      return true;
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    // A hole costs its maker nothing: the size of a sparse file may be beyond all memory.
    if (size > limit_ - total_ || size > kLargestBuffer) {
      over_limit_ = true;
      return false;
    }
    Content content;
    if (!content.reserve(size)) {
      fail("malloc", ENOMEM, path);
      return false;
    }
    if (!content.fill(file.get(), size)) {
      fail("read", errno, path);
      return false;
    }
    total_ += size;
    files_.push_back({std::move(content), 0});
    return true;
  }

  Napi::Value found(Napi::Env env) override {
    if (over_limit_) {
      return env.Undefined();
    }
    Napi::Array list = Napi::Array::New(env, files_.size());
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      File& file = files_[i];
      list.Set(i, file.content ? file.content->release(env)
                               : Napi::Value(Napi::Number::New(env, file.error)));
    }
    return list;
  }

  std::vector<std::string> paths_;
  std::uint64_t limit_;
  std::uint64_t total_ = 0;
  bool over_limit_ = false;
  std::vector<File> files_;
};

}  // namespace

Napi::Value read_files(const Napi::CallbackInfo& info) {
  const auto list = info[1].As<Napi::Array>();
  std::vector<std::string> paths;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    paths.push_back(text_of(list.Get(i)));
  }
  return queue<ReadWorker>(info.Env(), info[0].As<Napi::Number>().Int32Value(), std::move(paths),
                           static_cast<std::uint64_t>(info[2].As<Napi::Number>().Int64Value()));
}

}  // namespace codejail
