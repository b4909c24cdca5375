#include "addon/call_start.h"

#include <cstring>

#include "addon/javascript.h"
#include "core/cell.h"

namespace codejail {
namespace {

bool append_request(Napi::String request, Scratch& scratch, CellCall::Start& start) {
  if (start.size < sizeof(CallHeader) || start.size > scratch.size()) {
    return false;
  }
  std::memcpy(scratch.data(), start.frame, start.size);
  const std::size_t room = scratch.size() - start.size;
  std::size_t length = 0;
  if (napi_get_value_string_utf8(request.Env(), request, scratch.data() + start.size, room,
                                 &length) != napi_ok ||
      length + 1 >= room) {
    // One that fills it may have been cut.
    return false;
  }
  const std::uint64_t request_size = length;
  std::memcpy(scratch.data() + offsetof(CallHeader, request_size), &request_size,
              sizeof(request_size));
  start.frame = reinterpret_cast<const std::uint8_t*>(scratch.data());
  start.size += length;
  return true;
}

}  // namespace

bool read_start(const Napi::CallbackInfo& info, Scratch& scratch, CellCall::Start& start) {
  const auto frame = info[6].As<Napi::Uint8Array>();
  start.order.cpu_us = limit_of(info[1]);
  start.order.memory_bytes = limit_of(info[2]);
  start.order.most_files = info[3].As<Napi::Number>().Uint32Value();
  start.order.wants_tmp_directory = is_true(info[4]) ? 1 : 0;
  start.order.head = is_true(info[8]) ? 1 : 0;
  start.request = info[5].As<Napi::Number>().Int32Value();
  start.frame = frame.Data();
  start.size = frame.ByteLength();
  return !info[7].IsString() || append_request(info[7].As<Napi::String>(), scratch, start);
}

}  // namespace codejail
