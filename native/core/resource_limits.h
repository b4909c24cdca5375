// setrlimit(2): those of the whole jail, and those that count from the program's start.
#pragma once

#include "spec.h"

namespace codejail {

// RLIMIT_CORE at exactly 1, where a core pattern that is a pipe is not run (fs/coredump.c). Above a
// hard limit of 0 that takes CAP_SYS_RESOURCE of the host's: before anything is given up. Where it
// can't be had, the probe tells of it.
void claim_core_limit();
// For the launcher and all that it starts: cores, descriptors, tasks, locked memory, queues.
Status limit_jail(const SpecHeader& header);
// The count of tasks, which is by the real uid (setrlimit(2)).
Status limit_tasks(const SpecHeader& header);
// For the program: CPU, address space, data, file size. The launcher must not spend them.
Status limit_program(const SpecHeader& header);

}  // namespace codejail
