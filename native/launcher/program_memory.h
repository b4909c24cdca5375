// Memory of a program that waits for an answer: what its arguments point to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/descriptor.h"

namespace codejail {

// By process_vm_readv(2) and its like, with the key of this process's own filter, and where those
// are denied by /proc/TASK/mem: the first asks for the caller's real uid, the second for the uid of
// its file system accesses, and an AppArmor profile has no rule for it. `proc`: a descriptor of
// /proc. False where there is no such memory, or no way to it.
class ProgramMemory {
 public:
  ProgramMemory(const Descriptor& proc, std::uint32_t key) : proc_(proc), key_(key) {}

  bool read(std::uint32_t task, std::uint64_t address, void* target, std::size_t size) const;
  bool write(std::uint32_t task, std::uint64_t address, const void* source, std::size_t size) const;

 private:
  [[nodiscard]] Descriptor open_file(std::uint32_t task, int flags) const;

  const Descriptor& proc_;
  std::uint32_t key_;
};

}  // namespace codejail
