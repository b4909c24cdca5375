#include "addon/list_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/collect_worker.h"
#include "addon/text.h"
#include "core/descriptor.h"
#include "core/directory.h"

namespace codejail {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxEntries = 100000;
constexpr std::size_t kMaxEntriesBytes = 64U << 20U;

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

}  // namespace

Napi::Value list_files(const Napi::CallbackInfo& info) {
  return queue<ListWorker>(info.Env(), info[0].As<Napi::Number>().Int32Value());
}

}  // namespace codejail
