#include "collect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "directory.h"
#include "javascript.h"
#include "promise_worker.h"
#include "syscalls.h"

namespace codejail {
namespace {

constexpr int kMaxDepth = 64;
// Of one file: what every supported Node takes as one Buffer.
constexpr std::uint64_t kLargestBuffer = 0x7fffffff;
constexpr std::size_t kMaxEntries = 100000;
// The tree was made by hostile code: no link, no magic link of /proc, no other mount is followed.
constexpr std::uint64_t kResolve =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

// A name that is no UTF-8 would come back as another one.
bool is_text(const char* name) {
  const auto* at = reinterpret_cast<const unsigned char*>(name);
  while (*at != 0) {
    const int length = *at < 0x80                   ? 1
                       : *at >= 0xc2 && *at <= 0xdf ? 2
                       : *at >= 0xe0 && *at <= 0xef ? 3
                       : *at >= 0xf0 && *at <= 0xf4 ? 4
                                                    : 0;
    if (length == 0) {
      return false;
    }
    for (int i = 1; i < length; ++i) {
      if ((at[i] & 0xc0U) != 0x80) {
        return false;
      }
    }
    // Overlong forms, surrogates and what lies beyond Unicode.
    if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f)) {
      return false;
    }
    at += length;
  }
  return true;
}

class ListWorker : public PromiseWorker {
 public:
  ListWorker(Napi::Env env, int directory) : PromiseWorker(env), directory_(directory) {}

  void Execute() override { walk("", 0); }

  void OnOK() override {
    const Napi::Env env = Env();
    Napi::Array list = Napi::Array::New(env, files_.size());
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      list.Set(i, Napi::String::New(env, files_[i]));
    }
    resolve(list);
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by kMaxDepth.
  void walk(const std::string& prefix, int depth) {
    if (depth > kMaxDepth) {
      return;
    }
    const char* name = prefix.empty() ? "." : prefix.c_str();
    const Directory directory = directory_of(
        Descriptor(sys_openat2(directory_, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, kResolve)));
    if (!directory) {
      return;
    }
    while (const dirent* entry = readdir(directory.get())) {
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) {
        continue;
      }
      if (++seen_ > kMaxEntries) {
        return;
      }
      struct stat status {};
      if (fstatat(dirfd(directory.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        continue;
      }
      if (!is_text(entry->d_name)) {
        continue;
      }
      const std::string path = prefix.empty() ? entry->d_name : prefix + "/" + entry->d_name;
      if (path.size() >= PATH_MAX) {
        continue;
      }
      if (S_ISDIR(status.st_mode)) {
        walk(path, depth + 1);
      } else if (S_ISREG(status.st_mode)) {
        files_.push_back(path);
      }
    }
  }

  int directory_;
  std::size_t seen_ = 0;
  std::vector<std::string> files_;
};

// The bytes of one file. A vector would end the process where there is no memory for them.
class Content {
 public:
  bool reserve(std::size_t size) {
    bytes_.reset(static_cast<char*>(std::malloc(size == 0 ? 1 : size)));
    return bytes_ != nullptr;
  }
  void fill(int file, std::size_t size) {
    while (size_ < size) {
      const ssize_t count = read(file, bytes_.get() + size_, size - size_);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return;
      }
      size_ += static_cast<std::size_t>(count);
    }
  }
  [[nodiscard]] const char* data() const { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char, Free> bytes_;
  std::size_t size_ = 0;
};

class ReadWorker : public PromiseWorker {
 public:
  ReadWorker(Napi::Env env, int directory, std::vector<std::string> paths, std::uint64_t limit)
      : PromiseWorker(env), directory_(directory), paths_(std::move(paths)), limit_(limit) {}

  void Execute() override {
    std::uint64_t total = 0;
    for (const std::string& path : paths_) {
      // O_NONBLOCK: nothing can wait on a FIFO that stands where a file stood.
      Descriptor file(sys_openat2(directory_, path.c_str(),
                                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                                  kResolve));
      struct stat status {};
      if (!file.valid() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        // Without read permission, for instance: it is left out.
        contents_.emplace_back();
        continue;
      }
      const auto size = static_cast<std::uint64_t>(status.st_size);
      // A hole costs its maker nothing: the size of a sparse file may be beyond all memory.
      Content content;
      if (size > limit_ - total || size > kLargestBuffer || !content.reserve(size)) {
        over_limit_ = true;
        return;
      }
      total += size;
      content.fill(file.get(), size);
      contents_.emplace_back(std::move(content));
    }
  }

  void OnOK() override {
    const Napi::Env env = Env();
    if (over_limit_) {
      resolve(env.Null());
      return;
    }
    Napi::Array list = Napi::Array::New(env, contents_.size());
    for (std::uint32_t i = 0; i < contents_.size(); ++i) {
      const auto& content = contents_[i];
      list.Set(i, content
                      ? Napi::Value(Napi::Buffer<char>::Copy(env, content->data(), content->size()))
                      : env.Null());
    }
    resolve(list);
  }

 private:
  int directory_;
  std::vector<std::string> paths_;
  std::uint64_t limit_;
  bool over_limit_ = false;
  std::vector<std::optional<Content>> contents_;
};

}  // namespace

Napi::Value list_files(const Napi::CallbackInfo& info) {
  auto* worker = new ListWorker(info.Env(), info[0].As<Napi::Number>().Int32Value());
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

Napi::Value read_files(const Napi::CallbackInfo& info) {
  const auto list = info[1].As<Napi::Array>();
  std::vector<std::string> paths;
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    paths.push_back(text_of(list.Get(i)));
  }
  auto* worker =
      new ReadWorker(info.Env(), info[0].As<Napi::Number>().Int32Value(), std::move(paths),
                     static_cast<std::uint64_t>(info[2].As<Napi::Number>().Int64Value()));
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

}  // namespace codejail
