// What the kernel reads besides a program when it starts it: the interpreter that a script names,
// and the loader of its libraries.
#pragma once

#include "core/descriptor.h"

namespace codejail {

// Whether this process may read a program and all that runs it: else the program is undumpable.
// What can't be looked at counts as what may not be read.
bool may_read_all(const Descriptor& program);

}  // namespace codejail
