// On which processors a process runs.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include "core/descriptor.h"

namespace codejail {

// Keeps a process off the processor that the caller runs on, where it has another one. Both have
// something to do at the same time, and the kernel, which takes the processor of who wakes it,
// would have one wait for the other: it does not take one that is idle for available when that is a
// virtual one that its host has put to sleep (kernel/sched/fair.c, available_idle_cpu).
class Affinity {
 public:
  // Of which process; the pidfd outlives this.
  void take(const Descriptor& pidfd);
  // What can't be done is not done.
  void keep_apart();
  // As it was.
  void restore();

 private:
  const Descriptor* pidfd_ = nullptr;
  pid_t process_ = -1;
  bool is_apart_ = false;
  cpu_set_t before_{};
};

}  // namespace codejail
