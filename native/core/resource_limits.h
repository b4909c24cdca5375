// setrlimit(2): those of the whole jail, and those that count from the program's start.
#pragma once

#include "core/spec.h"

namespace codejail {

// RLIMIT_CORE at exactly 1, where a core pattern that is a pipe is not run (fs/coredump.c). Above a
// hard limit of 0 that takes CAP_SYS_RESOURCE of the host's: before anything is given up. Where it
// can't be had, the probe tells of it.
void claim_core_limit();
// For the launcher and all that it starts: cores, stacks, locked memory, queues.
Status limit_jail(const SpecHeader& header);
// Open files. A launcher has a few of its own, however few or many its program may have.
Status limit_descriptors(const SpecHeader& header);
Status limit_launcher_descriptors();
// The count of tasks, which is by the real uid (setrlimit(2)).
Status limit_tasks(const SpecHeader& header);
// For the program: open files, CPU, address space, data, file size. The launcher must not spend
// them.
Status limit_program(const SpecHeader& header);

}  // namespace codejail
