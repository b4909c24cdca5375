// The beginning of a cell's call, as JavaScript gives it.
#pragma once

#include <napi.h>

#include "addon/cell_call.h"
#include "addon/scratch.h"

namespace codejail {

// Of the arguments of beginCall (lib/native/addon.ts). Where the request comes apart from the frame
// it is put behind it in `scratch`, which then is what is written; false where it has no room
// there.
bool read_start(const Napi::CallbackInfo& info, Scratch& scratch, CellCall::Start& start);

}  // namespace codejail
