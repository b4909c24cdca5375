// What JavaScript is told of a jail.
#pragma once

#include <napi.h>

#include <array>
#include <string>

#include "addon/cell_outputs.h"
#include "core/report.h"
#include "core/status.h"

namespace codejail {

// What a report counts, in the order of lib/native/report.ts.
Napi::Float64Array numbers_of(Napi::Env env, const Report& report);
// An event that says nothing but its type.
Napi::Object plain_event(Napi::Env env, const char* type);

Napi::Object started_event(Napi::Env env, const Report& report);

// Of a cell.
Napi::Object attempt_event(Napi::Env env, const Report& report);
Napi::Object ready_event(Napi::Env env, const Report& report);

// Of a cell: what came on its outputs, and which of them have ended.
struct OutputNews {
  std::array<Napi::Buffer<char>, kOutputCount> chunks;
  std::array<bool, kOutputCount> have_ended{};
};

Napi::Object outputs_event(Napi::Env env, const OutputNews& news);
// The same of a step of a session.
Napi::Object step_outputs_event(Napi::Env env, std::uint32_t step, const OutputNews& news);
// Of a session: the descriptor of its writable directory.
Napi::Object session_event(Napi::Env env, int tmp_directory);

struct JailEnd {
  const Status& failure;
  const std::string& failure_detail;
  int launcher_status;   // exit status, or minus the signal's number
  const Report* report;  // null where the launcher was killed before it could report
  int tmp_directory;     // handed out, -1 where there is none
};

Napi::Object ended_event(Napi::Env env, const JailEnd& end);

}  // namespace codejail
