#include "addon/collect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/failure.h"
#include "addon/javascript.h"
#include "addon/promise_worker.h"
#include "addon/text.h"
#include "core/descriptor.h"
#include "core/directory.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr int kMaxDepth = 64;
// Of one file: what every supported Node takes as one Buffer.
constexpr std::uint64_t kLargestBuffer = 0x7fffffff;
constexpr std::size_t kMaxEntries = 100000;
constexpr std::size_t kMaxEntriesBytes = 64U << 20U;
// A smaller one is copied into memory of V8's own.
constexpr std::size_t kLargeContent = 16384;
// The tree was made by hostile code: no link, no magic link of /proc, no other mount is followed.
constexpr std::uint64_t kResolve =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

// What a program may have made of its files. Everything else is the host's affair, and fails the
// call.
bool is_programs_doing(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
    case EXDEV:
      return true;
    default:
      return false;
  }
}

// A promise of what is in a directory; rejects with `errno`, `syscall` and `detail`, the path,
// where the host fails.
class CollectWorker : public PromiseWorker {
 public:
  CollectWorker(Napi::Env env, int directory) : PromiseWorker(env), directory_(directory) {}

  void OnOK() final {
    const Napi::Env env = Env();
    if (error_ == 0) {
      resolve(found(env));
      return;
    }
    OnError(failure_of(env, "the files could not be collected", error_, syscall_, failed_path_));
  }

 protected:
  virtual Napi::Value found(Napi::Env env) = 0;

  void fail(const char* syscall, int error, const std::string& path) {
    error_ = error;
    syscall_ = syscall;
    failed_path_ = path;
  }
  [[nodiscard]] bool has_failed() const { return error_ != 0; }
  [[nodiscard]] int directory() const { return directory_; }

 private:
  int directory_;
  int error_ = 0;
  const char* syscall_ = "";
  std::string failed_path_;
};

// The kinds of entries; lib/run/collect.ts has the same.
constexpr char kRegular = 'f';
constexpr char kIrregular = 'o';
constexpr char kNoText = 'n';
constexpr char kClosedDirectory = 'u';
constexpr char kDeepDirectory = 'd';
constexpr char kTooMany = 'm';

class ListWorker : public CollectWorker {
 public:
  using CollectWorker::CollectWorker;

  void Execute() override {
    pending_.push_back({"", 0});
    // One directory is open at a time: descriptors are scarce in a busy server.
    while (!pending_.empty() && !has_failed() && !is_full_) {
      const Pending next = std::move(pending_.back());
      pending_.pop_back();
      list(next);
    }
    pack();
  }

 private:
  struct Pending {
    std::string path;
    int depth;
  };

  void list(const Pending& pending) {
    const char* name = pending.path.empty() ? "." : pending.path.c_str();
    const Directory opened = directory_of(
        Descriptor(sys_openat2(directory(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, kResolve)));
    if (!opened) {
      if (is_programs_doing(errno)) {
        add(kClosedDirectory, pending.path);
      } else {
        fail("openat2", errno, pending.path);
      }
      return;
    }
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(opened.get());
      if (entry == nullptr) {
        if (errno != 0) {
          fail("readdir", errno, pending.path);
        }
        return;
      }
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) {
        continue;
      }
      if (++seen_ > kMaxEntries || bytes_ > kMaxEntriesBytes) {
        is_full_ = true;
        add(kTooMany, pending.path);
        return;
      }
      if (!look_at(pending, dirfd(opened.get()), entry->d_name)) {
        return;
      }
    }
  }

  bool look_at(const Pending& parent, int opened, const char* name) {
    const std::string path = parent.path.empty() ? name : parent.path + "/" + name;
    struct stat status {};
    if (fstatat(opened, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) {
        return true;
      }
      fail("fstatat", errno, path);
      return false;
    }
    const bool is_directory = S_ISDIR(status.st_mode);
    if (!is_utf8(name)) {
      add(kNoText, path);
    } else if (path.size() >= PATH_MAX || (is_directory && parent.depth >= kMaxDepth)) {
      add(kDeepDirectory, parent.path);
    } else if (is_directory) {
      pending_.push_back({path, parent.depth + 1});
    } else {
      add(S_ISREG(status.st_mode) ? kRegular : kIrregular, path);
    }
    return true;
  }

  void add(char kind, const std::string& path) {
    bytes_ += path.size();
    found_.push_back({kind, path});
  }

  // In the order of the paths, which takes JavaScript too long for one turn.
  void pack() {
    std::sort(found_.begin(), found_.end(),
              [](const Entry& one, const Entry& other) { return is_before(one.path, other.path); });
    entries_.reserve(bytes_ + 2 * found_.size());
    for (const Entry& entry : found_) {
      entries_.push_back(entry.kind);
      entries_.append(entry.path);
      entries_.push_back('\0');
    }
    found_.clear();
  }

  Napi::Value found(Napi::Env env) override {
    // Its strings are JavaScript's to make, a few in each turn.
    auto owner = std::make_unique<std::string>(std::move(entries_));
    char* bytes = owner->data();
    const std::size_t size = owner->size();
    return Napi::Buffer<char>::NewOrCopy(
        env, bytes, size, [](Napi::Env, char*, std::string* held) { delete held; },
        owner.release());
  }

  struct Entry {
    char kind;
    std::string path;
  };

  std::size_t seen_ = 0;
  std::size_t bytes_ = 0;
  bool is_full_ = false;
  std::vector<Entry> found_;
  std::string entries_;
  std::vector<Pending> pending_;
};

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

Napi::Value list_files(const Napi::CallbackInfo& info) {
  return queue<ListWorker>(info.Env(), info[0].As<Napi::Number>().Int32Value());
}

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
