// The nursery of a template: a small process that makes the namespaces and the PID 1 of each cell,
// so that no second copy of the Python is needed for them.
#pragma once

#include "core/descriptor.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// Forks the nursery, whose copy of the spec loses its records. `handover` receives the template's
// end of the socket on which the cells' supervisors hand on what the template needs to fork each
// one's main process.
Status start_nursery(Spec& spec, Descriptor& handover);

}  // namespace codejail
