// Forks a cell's main process from the template's Python.
#pragma once

#include <sys/types.h>

#include "core/descriptor.h"
#include "core/report_channel.h"
#include "core/status.h"

namespace codejail {

struct Forked {
  bool in_cell = false;
  // In the cell: the number of a process that is about to end, or has.
  pid_t between = 0;
};

// Children are not waited for from now on. To be called once, in the template.
bool leave_children_to_kernel();

// Returns in the template and in the cell, as fork does; see become_keeper for the rest. Fails
// where the template has a second thread, whose locks a child could never take. In the cell Python
// is told by `after_fork_child`, when the pages that calls use are taken.
Status fork_into(const Descriptor& pid_namespace, const Descriptor& mounts,
                 const Descriptor& lifeline, const ReportChannel& channel, Forked& forked);

// Forks a child into a PID namespace of its own. As fork(2).
pid_t fork_apart();

}  // namespace codejail
