// By which the launcher is known under a filter that asks and that it shares with its program:
// numbers that no program knows, in the halves of arguments that the kernel does not read.
#pragma once

#include <cstdint>

namespace codejail {

// 0 for none.
struct LauncherKey {
  std::uint64_t locks = 0;  // launcher/locks.h; in two arguments
  // process_vm_readv and process_vm_writev have room for one half: of its own, since a program with
  // hours can guess it, and can then read and write where ptrace(2) would let it.
  std::uint32_t memory = 0;
};

// An argument of 32 bits, with a half of the key in the half that the kernel does not read.
inline long with_key(std::uint32_t half, int value) {
  return static_cast<long>(std::uint64_t{half} << 32U | static_cast<std::uint32_t>(value));
}

}  // namespace codejail
