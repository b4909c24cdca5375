#include "addon/cgroup_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>
#include <initializer_list>

#include "addon/javascript.h"

namespace codejail {

CgroupLocks::~CgroupLocks() {
  for (const auto& [path, lock] : held_) {
    // Its jails are dead and gone; where one is not, the next server's start removes both: EBUSY.
    (void)rmdir(path.c_str());
  }
}

Napi::Value CgroupLocks::lock(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string path = text_of(info[0]);
  Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid() || flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    return Napi::Number::New(env, errno);
  }
  // Between the open and the lock its last owner may have removed it.
  struct stat locked {};
  struct stat named {};
  const bool same = fstat(directory.get(), &locked) == 0 && lstat(path.c_str(), &named) == 0 &&
                    locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
  if (!same) {
    return Napi::Number::New(env, ENOENT);
  }
  held_[path] = std::move(directory);
  return Napi::Number::New(env, 0);
}

void CgroupLocks::unlock(const Napi::CallbackInfo& info) {
  held_.erase(text_of(info[0]));
}

Napi::Value cgroup_is_delegated(const Napi::CallbackInfo& info) {
  const std::string path = text_of(info[0]);
  // systemd.resource-control(5), Delegate=: the second one needs CAP_SYS_ADMIN to read.
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (lgetxattr(path.c_str(), name, &value, 1) == 1 && value == '1') {
      return Napi::Boolean::New(info.Env(), true);
    }
  }
  return Napi::Boolean::New(info.Env(), false);
}

}  // namespace codejail
