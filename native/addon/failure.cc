#include "addon/failure.h"

#include "addon/shortage.h"

namespace codejail {

Napi::Error failure_of(Napi::Env env, const char* message, int error, const char* syscall,
                       const std::string& detail) {
  Napi::Error failure = Napi::Error::New(env, message);
  failure.Set("errno", Napi::Number::New(env, error));
  failure.Set("syscall", syscall);
  failure.Set("detail", detail);
  return failure;
}

Napi::Error failure_of(Napi::Env env, const Status& status) {
  Napi::Error failure =
      failure_of(env, step_name(status.step()), status.error(), step_syscall(status.step()),
                 with_cure(status.error(), status.detail()));
  failure.Set("step", step_name(status.step()));
  failure.Set("stepNumber", Napi::Number::New(env, static_cast<double>(status.step())));
  return failure;
}

void throw_failure(Napi::Env env, const Status& status) {
  failure_of(env, status).ThrowAsJavaScriptException();
}

}  // namespace codejail
