// A long request, written while the event loop goes on, and one that goes on itself.
#pragma once

#include <napi.h>

#include <functional>

#include "core/descriptor.h"

namespace codejail {

// writeRequest(pieces: Uint8Array[]): Promise<number>: a sealed memfd with all of them, one
// after the other, at its beginning; a descriptor, as `hand_out` gives it.
Napi::Value write_request(const Napi::CallbackInfo& info, std::function<int(Descriptor)> hand_out);

// makeRequestPipe(): {program, server}: the ends of a pipe, which the program reads and the server
// writes without being blocked; descriptors, as `hand_out` gives them.
Napi::Value make_request_pipe(const Napi::CallbackInfo& info,
                              const std::function<int(Descriptor)>& hand_out);

}  // namespace codejail
