// What JavaScript is told of a jail.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>

#include "report.h"
#include "status.h"

namespace codejail {

// An event that says nothing but its type.
Napi::Object plain_event(Napi::Env env, const char* type);

Napi::Object started_event(Napi::Env env, const Report& report);

// Of a cell: what came on one of its outputs; without a chunk, its end.
Napi::Object output_event(Napi::Env env, std::size_t output, Napi::Buffer<char> chunk);

struct JailEnd {
  const Status& failure;
  const std::string& failure_detail;
  int launcher_status;   // exit status, or minus the signal's number
  const Report* report;  // null where the launcher was killed before it could report
  int tmp_directory;     // handed out, -1 where there is none
};

Napi::Object ended_event(Napi::Env env, const JailEnd& end);

}  // namespace codejail
