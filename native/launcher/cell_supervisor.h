// The PID 1 of a cell: makes what belongs to the cell alone, hands it on, and supervises.
#pragma once

#include "core/descriptor.h"
#include "core/descriptor_table.h"
#include "core/spec.h"

namespace codejail {

// `received`: what the server sent for this cell. `released`: a byte comes when the ids are mapped.
// `network`: its network namespace, where it has one of its own. `handover`: the socket to the
// template.
[[noreturn]] void become_cell_supervisor(Spec& spec, Descriptor (&received)[kServerFds],
                                         Descriptor released, Descriptor network, int handover);

}  // namespace codejail
