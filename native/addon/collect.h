// Reads what a dead jail left in its writable directory.
#pragma once

#include <napi.h>

namespace codejail {

// listFiles(directory: number): Promise<string[]>: the regular files below the directory.
Napi::Value list_files(const Napi::CallbackInfo& info);
// readFiles(directory: number, paths: string[], limit: number): Promise<(Buffer | null)[] | null>:
// null when they hold more than `limit` bytes together, and in the place of one that can't be read.
Napi::Value read_files(const Napi::CallbackInfo& info);

}  // namespace codejail
