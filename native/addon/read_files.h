// Reads files that a dead jail left in its writable directory.
#pragma once

#include <napi.h>

namespace codejail {

// readFiles(directory: number, paths: string[], limit: number): Promise<(Buffer | number)[] |
// undefined>: undefined when they hold more than `limit` bytes together; in the place of one that
// can't be read an errno, or 0 where it is no regular file. Rejects as `listFiles` does.
Napi::Value read_files(const Napi::CallbackInfo& info);

}  // namespace codejail
