// Small helpers for values of JavaScript.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

#include "core/spec.h"

namespace codejail {

// What is passed is a string or a boolean already. A conversion would run JavaScript, which fails
// in a worker that is being terminated and gives a value without an environment: the next question
// to that ends the process.
inline std::string text_of(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

inline bool is_true(const Napi::Value& value) {
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

// A limit; undefined: there is none.
inline std::uint64_t limit_of(const Napi::Value& value) {
  return value.IsNumber() ? static_cast<std::uint64_t>(value.As<Napi::Number>().Int64Value())
                          : kUnlimited;
}

inline void set_number(Napi::Object& object, const char* name, double value) {
  object.Set(name, Napi::Number::New(object.Env(), value));
}

}  // namespace codejail
