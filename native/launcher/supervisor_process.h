// The process that is to be the PID 1 of a cell.
//
// A call's promise waits for its end, and to free its memory takes longer than all else of that. So
// as a rule it runs in the memory of a keeper: a process outside of the cell that has nothing but a
// pipe to read from, and one that nobody reads, and that ends when the server closes the first one,
// when the caller has its result. The kernel frees the memory with the last process that is in it.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

struct SupervisorProcess {
  // Runs in it, and does not return.
  void (*run)(void*);
  void* argument;
  std::uint64_t namespaces;
  // Where its keeper reads; -1 for a supervisor that has its memory to itself.
  int lifeline;
};

// Starts it, a child of this process in any case. `number` and `pidfd` say which it is.
Status start_supervisor(const SupervisorProcess& process, pid_t& number, Descriptor& pidfd);

}  // namespace codejail
