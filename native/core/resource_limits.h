// setrlimit(2): those of the whole jail, and those that count from the program's start.
#pragma once

#include "spec.h"

namespace codejail {

// For the launcher and all that it starts: cores, descriptors, tasks, locked memory, queues.
Status limit_jail(const SpecHeader& header);
// The count of tasks, which is by the real uid (setrlimit(2)).
Status limit_tasks(const SpecHeader& header);
// For the program: CPU, address space, data, file size. The launcher must not spend them.
Status limit_program(const SpecHeader& header);

}  // namespace codejail
