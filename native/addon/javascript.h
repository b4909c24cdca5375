// Small helpers for values of JavaScript.
#pragma once

#include <napi.h>

namespace codejail {

inline void set_number(Napi::Object& object, const char* name, double value) {
  object.Set(name, Napi::Number::New(object.Env(), value));
}

}  // namespace codejail
