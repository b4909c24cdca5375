// Whose a cgroup is: a lock on its directory, held as long as the server that made it lives.
#pragma once

#include <napi.h>

#include <map>
#include <string>

#include "core/descriptor.h"

namespace codejail {

// The locks of one JavaScript environment; given up, with the directories, when it ends.
class CgroupLocks {
 public:
  CgroupLocks() = default;
  CgroupLocks(const CgroupLocks&) = delete;
  CgroupLocks& operator=(const CgroupLocks&) = delete;
  ~CgroupLocks();

  // lockCgroup(path): 0 where it is this environment's now; else the error's number, EAGAIN where
  // another one holds it, ENOENT where it is gone.
  Napi::Value lock(const Napi::CallbackInfo& info);
  // unlockCgroup(path)
  void unlock(const Napi::CallbackInfo& info);

 private:
  std::map<std::string, Descriptor> held_;
};

// cgroupIsDelegated(path): whether systemd has marked the cgroup as its unit's own to divide.
Napi::Value cgroup_is_delegated(const Napi::CallbackInfo& info);

}  // namespace codejail
