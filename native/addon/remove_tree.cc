#include "addon/remove_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "addon/failure.h"
#include "addon/javascript.h"
#include "addon/promise_worker.h"
#include "core/descriptor.h"
#include "core/directory.h"

namespace codejail {
namespace {

// Another server may be removing the same tree: it moves directories where this one has looked.
constexpr int kIdleRounds = 10;

Directory open_directory(int parent, const char* name) {
  return directory_of(
      Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
}

bool is_full(int error) {
  return error == ENOTEMPTY || error == EEXIST;
}

// A full disk, a quota, or as many directories as one may hold (rename(2)).
bool lacks_room(int error) {
  return error == ENOSPC || error == EDQUOT || error == EMLINK;
}

// Hostile code made the tree: it may be deeper than any path is long and than descriptors can be
// open. So a full directory right below the top is emptied by moving the directories in it up
// beside it, and no name is ever followed.
class TreeRemoval {
 public:
  // Whether nothing is left.
  bool remove(const char* path) {
    Directory top = open_directory(AT_FDCWD, path);
    if (!top) {
      return errno == ENOENT || fail("openat");
    }
    top_ = dirfd(top.get());
    for (int idle = 0; idle < kIdleRounds;) {
      const std::uint64_t before = changes_;
      error_ = 0;
      rewinddir(top.get());
      if (!take_all(top)) {
        return false;
      }
      if (unlinkat(AT_FDCWD, path, AT_REMOVEDIR) == 0 || errno == ENOENT) {
        return true;
      }
      if (!is_full(errno)) {
        return fail("unlinkat");
      }
      idle = changes_ == before ? idle + 1 : 0;
    }
    if (error_ == 0) {
      error_ = ENOTEMPTY;
      syscall_ = "unlinkat";
    }
    return false;
  }

  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const char* syscall() const { return syscall_; }

 private:
  enum class Entry { kGone, kFull, kFailed };

  bool fail(const char* syscall) {
    error_ = errno;
    syscall_ = syscall;
    return false;
  }

  // Until `visit` gives false.
  template <typename Visit>
  bool each(const Directory& directory, Visit visit) {
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(directory.get());
      if (entry == nullptr) {
        return errno == 0 || fail("getdents64");
      }
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) {
        continue;
      }
      if (!visit(entry->d_name)) {
        return false;
      }
    }
  }

  bool take_all(const Directory& top) {
    if (!each(top, [this](const char* name) { return take(name); })) {
      return false;
    }
    // By their numbers: to list the top again for each would take ever longer.
    for (; taken_ < moved_; ++taken_) {
      if (!take(std::to_string(taken_).c_str())) {
        return false;
      }
    }
    return true;
  }

  // One name in the top.
  bool take(const char* name) {
    const Entry entry = remove_entry(top_, name);
    return entry == Entry::kFull ? empty(name) : entry == Entry::kGone;
  }

  bool empty(const char* name) {
    const Directory directory = open_directory(top_, name);
    if (!directory) {
      return errno == ENOENT || fail("openat");
    }
    const int number = dirfd(directory.get());
    const bool is_empty = each(directory, [this, number](const char* inner) {
      const Entry entry = remove_entry(number, inner);
      return entry == Entry::kFull ? move_up(number, inner) : entry == Entry::kGone;
    });
    // Where it is full still, the next round has it.
    return is_empty && remove_entry(top_, name) != Entry::kFailed;
  }

  Entry remove_entry(int directory, const char* name) {
    // unlink(2): EISDIR is Linux's answer for a directory. `d_type` need not be known, and may have
    // changed.
    const bool is_removed = unlinkat(directory, name, 0) == 0 ||
                            (errno == EISDIR && unlinkat(directory, name, AT_REMOVEDIR) == 0);
    if (is_removed) {
      ++changes_;
      return Entry::kGone;
    }
    if (errno == ENOENT) {
      return Entry::kGone;
    }
    if (is_full(errno)) {
      return Entry::kFull;
    }
    fail("unlinkat");
    return Entry::kFailed;
  }

  bool move_up(int directory, const char* name) {
    for (;;) {
      const std::string fresh = std::to_string(moved_++);
      // rename(2): at most an empty directory is replaced, which has to go too.
      if (renameat(directory, name, top_, fresh.c_str()) == 0) {
        ++changes_;
        return true;
      }
      if (errno == ENOENT) {
        return true;
      }
      if (lacks_room(errno)) {
        fail("renameat");
        // What else is removed makes room for the next round.
        return true;
      }
      if (!is_full(errno) && errno != ENOTDIR) {
        return fail("renameat");
      }
    }
  }

  int top_ = -1;
  // How many names have been given to moved directories, and how many of those are dealt with.
  std::uint64_t moved_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t changes_ = 0;
  int error_ = 0;
  const char* syscall_ = "";
};

// The locks of a jail that may live still (core/host_directory.h): the launcher's, and that of the
// descriptor by which a server collects.
class JailLocks {
 public:
  // Whether nobody has them; nobody else then takes them while this lives.
  bool take(const char* directory) {
    if (!lock(AT_FDCWD, directory, directory_)) {
      return false;
    }
    // The removal of a server that was killed may have got as far as that.
    return lock(directory_.get(), "tmp", tmp_) || errno == ENOENT;
  }

 private:
  static bool lock(int parent, const char* name, Descriptor& directory) {
    directory.reset(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return directory.valid() && flock(directory.get(), LOCK_EX | LOCK_NB) == 0;
  }

  Descriptor directory_;
  Descriptor tmp_;
};

class RemoveWorker : public PromiseWorker {
 public:
  RemoveWorker(Napi::Env env, std::string directory, bool respects_locks)
      : PromiseWorker(env), directory_(std::move(directory)), respects_locks_(respects_locks) {}

  void Execute() override {
    JailLocks locks;
    is_in_use_ = respects_locks_ && !locks.take(directory_.c_str());
    is_gone_ = !is_in_use_ && removal_.remove(directory_.c_str());
  }

  void OnOK() override {
    const Napi::Env env = Env();
    if (is_gone_ || is_in_use_) {
      resolve(env.Undefined());
      return;
    }
    OnError(failure_of(env, "the directory could not be removed", removal_.error(),
                       removal_.syscall()));
  }

 private:
  std::string directory_;
  bool respects_locks_;
  TreeRemoval removal_;
  bool is_in_use_ = false;
  bool is_gone_ = false;
};

Napi::Value start_removal(const Napi::CallbackInfo& info, bool respects_locks) {
  return queue<RemoveWorker>(info.Env(), text_of(info[0]), respects_locks);
}

}  // namespace

Napi::Value remove_tree(const Napi::CallbackInfo& info) {
  return start_removal(info, false);
}

Napi::Value remove_unlocked_tree(const Napi::CallbackInfo& info) {
  return start_removal(info, true);
}

}  // namespace codejail
