// Ends trees of processes that go on forking, and nobody else.
#pragma once

#include <sys/types.h>

#include <functional>

namespace codejail {

// SIGKILL for every process whose root, a child of PID 1, is to go. In rounds: what is stopped
// forks no more, and counts for the jail's limit of processes as long as it is not dead. What one
// process alone forks meanwhile is left: its parent is PID 1 then. `proc` as of ProcessTree. The
// dead are not waited for here.
void kill_trees(int proc, const std::function<bool(pid_t root)>& is_to_go);

}  // namespace codejail
