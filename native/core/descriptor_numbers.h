// Descriptors that get the numbers by which programs know them.
#pragma once

#include "core/status.h"

namespace codejail {

// Gives them the numbers 0, 1 and so on, in their order; where there is a -1, what has that number
// stays. The first `inherited` stay open in a program, the others are closed by its exec. The
// sources stay open too, unless their number is taken.
Status number_descriptors(const int* sources, int count, int inherited);

}  // namespace codejail
