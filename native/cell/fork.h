// Forks a cell's main process from the template's Python.
#pragma once

#include "descriptor.h"
#include "status.h"

namespace codejail {

// Returns twice, as fork does: `in_cell` tells where. In the cell the parent is the cell's PID 1.
// Fails where the template has a second thread, whose locks a child could never take.
Status fork_into(const Descriptor& pid_namespace, bool& in_cell);

}  // namespace codejail
