// What the kernel refused, as an error of JavaScript's.
#pragma once

#include <napi.h>

#include <string>

#include "core/status.h"

namespace codejail {

// With `errno`, `syscall` and `detail`: what it was done to, empty where that says nothing.
Napi::Error failure_of(Napi::Env env, const char* message, int error, const char* syscall,
                       const std::string& detail = "");

// The same of a step, with its name as `step` and its place in the list of steps as `stepNumber`,
// and with the cure where one is known.
Napi::Error failure_of(Napi::Env env, const Status& status);
void throw_failure(Napi::Env env, const Status& status);

}  // namespace codejail
