// The end of a child, by its pidfd.
#pragma once

#include "descriptor.h"

namespace codejail {

// Blocks until the process is dead, and reaps it. Gives up after `milliseconds`; -1: never.
bool wait_for_end(const Descriptor& pidfd, int milliseconds = -1);

}  // namespace codejail
