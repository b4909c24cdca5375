// Files of a call that are too long, or too many, to be written at once: into the beginning of its
// spec, while the event loop goes on.
#pragma once

#include <napi.h>

#include <functional>

#include "core/descriptor.h"

namespace codejail {

// openFiles(): number: a spec's memory file without anything in it yet; a descriptor, as `hand_out`
// gives it. Throws.
Napi::Value open_files(const Napi::CallbackInfo& info,
                       const std::function<int(Descriptor)>& hand_out);

// appendFiles(descriptor: number, records: FileRecord[]): Promise<void>: writes records after those
// that are there. One after the other: each has to be done before the next.
Napi::Value append_files(const Napi::CallbackInfo& info);

}  // namespace codejail
