// A long request, written while the event loop goes on.
#pragma once

#include <napi.h>

#include <functional>

#include "core/descriptor.h"

namespace codejail {

// writeRequest(pieces: Uint8Array[]): Promise<number>: a sealed memory file with all of them, one
// after the other, at its beginning; a descriptor, as `hand_out` gives it.
Napi::Value write_request(const Napi::CallbackInfo& info, std::function<int(Descriptor)> hand_out);

}  // namespace codejail
