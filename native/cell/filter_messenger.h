// Puts a cell's main process under its filter, and passes the filter's listener on to PID 1.
#pragma once

#include "core/descriptor.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// `link`: a socket to the cell's PID 1. Where there can be no listener, the calls that PID 1 would
// be asked for are refused. Needs no_new_privs.
Status install_cell_filter(const Spec& spec, const Descriptor& link);

}  // namespace codejail
