// On which processors a process runs.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include "descriptor.h"

namespace codejail {

// Keeps a process off the processor that the caller runs on, where it has another one. Both have
// something to do at the same time, and the kernel, which takes the processor of who wakes it,
// would have one wait for the other: it does not take one that is idle for available when that is a
// virtual one that its host has put to sleep (kernel/sched/fair.c, available_idle_cpu).
class Placement {
 public:
  // What can't be done is not done. The number is the pidfd's, as /proc has it.
  void keep_apart(pid_t process, const Descriptor& pidfd);
  // As it was.
  void restore(const Descriptor& pidfd);

 private:
  pid_t process_ = -1;
  cpu_set_t before_{};
};

}  // namespace codejail
