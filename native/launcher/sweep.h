// Ends what a jail without a PID namespace left when its launcher was killed from outside.
#pragma once

#include <sys/types.h>

#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// Ends all that has the uid which this process has leased and become, and waits until nothing is
// left. `caller`: whose uid it was before.
Status end_leftovers(uid_t caller);

// Becomes the uid of the spec, ends all that has it, and exits: 0 when nothing is left.
[[noreturn]] void sweep_uid(const Spec& spec);

}  // namespace codejail
