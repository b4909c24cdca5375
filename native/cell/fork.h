// Forks a cell's main process from the template's Python.
#pragma once

#include <sys/types.h>

#include "descriptor.h"
#include "status.h"
#include "working_pages.h"

namespace codejail {

struct Forked {
  bool in_cell = false;
  // In the cell: the number of a process that is about to end, or has.
  pid_t between = 0;
};

// Returns twice, as fork does. In the cell the parent is the cell's PID 1. Fails where the template
// has a second thread, whose locks a child could never take. A cell takes the pages that calls use
// before anything else runs in it.
Status fork_into(const Descriptor& pid_namespace, const WorkingPages& pages, Forked& forked);

// Forks a child into a PID namespace of its own. As fork(2).
pid_t fork_apart();

// In the cell: waits until nothing is left of the process between. A program would see it in /proc.
void wait_until_reaped(pid_t between);

}  // namespace codejail
