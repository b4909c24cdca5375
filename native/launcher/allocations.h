// Memory that the program asks for in one piece and that is more than its limits ever allow. The
// filter puts such a call to PID 1, which remembers it, as evidence, and has the kernel refuse it.
#pragma once

#include <cstdint>

#include "core/descriptor.h"
#include "core/spec.h"
#include "launcher/notification.h"

namespace codejail {

class Allocations {
 public:
  explicit Allocations(const SpecHeader& header)
      : data_limit_(header.rlimits[RLIMIT_DATA]), address_limit_(header.rlimits[RLIMIT_AS]) {}

  // Of mmap or mremap. `proc`: a descriptor of /proc.
  void look(const Descriptor& proc, const Notification& call);
  // The writable memory that a program's own file asks for is refused by its exec, in no call of
  // the program's: the kernel then kills it (fs/binfmt_elf.c, set_brk).
  void look_at_image(const char* path);

  // By how much the largest went beyond a limit, with what the process had already; 0 where nothing
  // was refused.
  [[nodiscard]] std::uint64_t over_data_bytes() const { return over_data_; }
  [[nodiscard]] std::uint64_t over_address_bytes() const { return over_address_; }

 private:
  std::uint64_t data_limit_;
  std::uint64_t address_limit_;
  std::uint64_t over_data_ = 0;
  std::uint64_t over_address_ = 0;
};

// What is more than this is refused, whatever a process has: the smaller of its limits. 0 where it
// has none.
std::uint64_t refused_above(const SpecHeader& header);

}  // namespace codejail
