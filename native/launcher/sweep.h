// Ends what a jail without a PID namespace left when its launcher was killed from outside.
#pragma once

#include "spec.h"

namespace codejail {

// Becomes the uid of the spec, ends all that has it, and exits: 0 when nothing is left.
[[noreturn]] void sweep_uid(const Spec& spec);

}  // namespace codejail
