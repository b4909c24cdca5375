// Removes what a dead jail left on the host, however deep.
#pragma once

#include <napi.h>

namespace codejail {

// removeTree(directory: string): Promise<void>: rejects with `errno` and `syscall` where something
// of it stays.
Napi::Value remove_tree(const Napi::CallbackInfo& info);

}  // namespace codejail
