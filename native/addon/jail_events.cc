#include "addon/jail_events.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "addon/javascript.h"
#include "addon/shortage.h"

namespace codejail {

// Numbers alone, in the order of lib/native/report.ts: an object with names takes six times as
// long.
Napi::Float64Array numbers_of(Napi::Env env, const Report& report) {
  const int status = report.wait_status;
  const double numbers[] = {
      static_cast<double>(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status)),
      static_cast<double>(report.verdict),
      static_cast<double>(report.user_us) / 1e3,
      static_cast<double>(report.system_us) / 1e3,
      static_cast<double>(report.cpu_us) / 1e3,
      static_cast<double>(report.peak_rss_bytes),
      static_cast<double>(report.peak_sum_bytes),
      static_cast<double>(report.peak_data_bytes),
      static_cast<double>(report.peak_stack_bytes),
      static_cast<double>(report.over_data_bytes),
      static_cast<double>(report.over_address_bytes),
      static_cast<double>(report.disk_bytes),
      static_cast<double>(report.disk_files),
      static_cast<double>(report.disk_full),
      static_cast<double>(report.files_full),
      static_cast<double>(report.profile_lost),
  };
  Napi::Float64Array array = Napi::Float64Array::New(env, std::size(numbers));
  // In a worker that is being terminated there is none.
  if (!array.IsEmpty()) {
    std::copy(std::begin(numbers), std::end(numbers), array.Data());
  }
  return array;
}

Napi::Object plain_event(Napi::Env env, const char* type) {
  Napi::Object event = Napi::Object::New(env);
  event.Set("type", type);
  return event;
}

Napi::Object started_event(Napi::Env env, const Report& report) {
  Napi::Object event = plain_event(env, "started");
  set_number(event, "startedMs", static_cast<double>(report.started_ns) / 1e6);
  return event;
}

Napi::Object attempt_event(Napi::Env env, const Report& report) {
  Napi::Object event = plain_event(env, "attempt");
  set_number(event, "kind", static_cast<double>(report.attempt));
  set_number(event, "errno", report.error);
  const std::size_t length = strnlen(report.detail, sizeof(report.detail));
  event.Set("what", Napi::String::New(env, report.detail, length));
  return event;
}

Napi::Object ready_event(Napi::Env env, const Report& report) {
  Napi::Object event = plain_event(env, "ready");
  set_number(event, "processor", report.processor);
  return event;
}

namespace {

Napi::Object news_event(Napi::Env env, const char* type, const OutputNews& news) {
  constexpr const char* kNames[kOutputCount] = {"stdout", "stderr", "result"};
  Napi::Object event = plain_event(env, type);
  unsigned ended = 0;
  for (std::size_t output = 0; output < kOutputCount; ++output) {
    if (!news.chunks[output].IsEmpty()) {
      event.Set(kNames[output], news.chunks[output]);
    }
    ended |= news.have_ended[output] ? 1U << output : 0U;
  }
  set_number(event, "ended", ended);
  return event;
}

}  // namespace

Napi::Object outputs_event(Napi::Env env, const OutputNews& news) {
  return news_event(env, "outputs", news);
}

Napi::Object step_outputs_event(Napi::Env env, std::uint32_t step, const OutputNews& news) {
  Napi::Object event = news_event(env, "stepOutputs", news);
  set_number(event, "step", step);
  return event;
}

Napi::Object session_event(Napi::Env env, int tmp_directory) {
  Napi::Object event = plain_event(env, "session");
  set_number(event, "tmpDirectory", tmp_directory);
  return event;
}

Napi::Object ended_event(Napi::Env env, const JailEnd& end) {
  Napi::Object event = plain_event(env, "ended");
  set_number(event, "tmpDirectory", end.tmp_directory);
  if (!end.failure.ok()) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("step", step_name(end.failure.step()));
    set_number(failure, "stepNumber", static_cast<double>(end.failure.step()));
    failure.Set("syscall", step_syscall(end.failure.step()));
    set_number(failure, "errno", end.failure.error());
    failure.Set("detail", with_cure(end.failure.error(), end.failure_detail));
    event.Set("failure", failure);
    return event;
  }
  set_number(event, "launcherStatus", end.launcher_status);
  if (end.report != nullptr) {
    event.Set("report", numbers_of(env, *end.report));
  }
  return event;
}

}  // namespace codejail
