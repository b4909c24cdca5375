// The end of a jail's cgroup, away from the event loop.
#pragma once

#include <napi.h>

#include "addon/jail_cgroup.h"

namespace codejail {

// A promise of what the kernel says of the jail, kept when the cgroup is gone.
Napi::Promise end_cgroup(Napi::Env env, JailCgroup cgroup);

}  // namespace codejail
