// Lists what a dead jail left in its writable directory.
#pragma once

#include <napi.h>

namespace codejail {

// listFiles(directory: number): Promise<Buffer>: what is below the directory, each entry as a
// letter for its kind (list_files.cc), its path and a NUL, in the order of the paths. Rejects with
// `errno`, `syscall` and `detail` where the host fails.
Napi::Value list_files(const Napi::CallbackInfo& info);

}  // namespace codejail
