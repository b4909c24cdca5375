// Reads what a dead jail left in its writable directory.
#pragma once

#include <napi.h>

namespace codejail {

// listFiles(directory: number): Promise<Buffer>: what is below the directory, each entry as a
// letter for its kind (collect.cc), its path and a NUL, in the order of the paths. Rejects with
// `errno`, `syscall` and `detail` where the host fails.
Napi::Value list_files(const Napi::CallbackInfo& info);
// readFiles(directory: number, paths: string[], limit: number): Promise<(Buffer | number)[] |
// null>: null when they hold more than `limit` bytes together; in the place of one that can't be
// read an errno, or 0 where it is no regular file. Rejects as `listFiles` does.
Napi::Value read_files(const Napi::CallbackInfo& info);

}  // namespace codejail
