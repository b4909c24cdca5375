// What the launcher has of its server's without being given it.
#pragma once

#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// All descriptors but those of the spec.
Status close_other_descriptors(const SpecHeader& header);
// Handlers, ignored and blocked signals.
void reset_signals();

}  // namespace codejail
