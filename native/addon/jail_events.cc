#include "jail_events.h"

#include <sys/wait.h>

#include "javascript.h"

namespace codejail {
namespace {

Napi::Object describe(Napi::Env env, const Report& report) {
  Napi::Object object = Napi::Object::New(env);
  const int status = report.wait_status;
  set_number(object, "status", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  set_number(object, "verdict", static_cast<double>(report.verdict));
  set_number(object, "userMs", static_cast<double>(report.user_us) / 1e3);
  set_number(object, "systemMs", static_cast<double>(report.system_us) / 1e3);
  set_number(object, "cpuMs", static_cast<double>(report.cpu_us) / 1e3);
  set_number(object, "peakRssBytes", static_cast<double>(report.peak_rss_bytes));
  set_number(object, "peakMemoryBytes", static_cast<double>(report.peak_sum_bytes));
  set_number(object, "diskBytes", static_cast<double>(report.disk_bytes));
  set_number(object, "diskFiles", static_cast<double>(report.disk_files));
  object.Set("diskFull", Napi::Boolean::New(env, report.disk_full != 0));
  object.Set("filesFull", Napi::Boolean::New(env, report.files_full != 0));
  return object;
}

}  // namespace

Napi::Object plain_event(Napi::Env env, const char* type) {
  Napi::Object event = Napi::Object::New(env);
  event.Set("type", type);
  return event;
}

Napi::Object started_event(Napi::Env env, const Report& report) {
  Napi::Object event = plain_event(env, "started");
  set_number(event, "startedMs", static_cast<double>(report.started_ns) / 1e6);
  event.Set("label", report.label);
  return event;
}

Napi::Object ended_event(Napi::Env env, const JailEnd& end) {
  Napi::Object event = plain_event(env, "ended");
  set_number(event, "tmpDirectory", end.tmp_directory);
  if (!end.failure.ok()) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("step", step_name(end.failure.step()));
    failure.Set("syscall", step_syscall(end.failure.step()));
    set_number(failure, "errno", end.failure.error());
    failure.Set("detail", end.failure_detail);
    event.Set("failure", failure);
    return event;
  }
  set_number(event, "launcherStatus", end.launcher_status);
  if (end.report != nullptr) {
    event.Set("report", describe(env, *end.report));
  }
  return event;
}

}  // namespace codejail
