#pragma once

#include <napi.h>

namespace codejail {

// lookUpUser(name: string): {uid, gid} | null, by getpwnam_r(3).
Napi::Value look_up_user(const Napi::CallbackInfo& info);

}  // namespace codejail
