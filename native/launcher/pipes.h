// What waits in pipes: it is the kernel's memory, 64 KiB of each, and in no process's.
#pragma once

#include <cstdint>

namespace codejail {

// The kernel's memory for the pipes and FIFOs of a jail beyond those of ordinary programs, were all
// of them full. `proc`: a descriptor of /proc.
std::uint64_t pipe_bytes(int proc, std::uint64_t most_files);

}  // namespace codejail
