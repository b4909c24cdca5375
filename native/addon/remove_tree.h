// Removes what a dead jail left on the host, however deep.
#pragma once

#include <napi.h>

namespace codejail {

// removeTree(directory: string): Promise<void>: rejects with `errno` and `syscall` where something
// of it stays.
Napi::Value remove_tree(const Napi::CallbackInfo& info);

// removeUnlockedTree(directory: string): Promise<void>: the same, of a jail's directory that no
// server and no launcher holds any more; nothing where one does.
Napi::Value remove_unlocked_tree(const Napi::CallbackInfo& info);

}  // namespace codejail
