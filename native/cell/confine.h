// Confines a cell's main process: the launcher's list, for a process that is the program already.
#pragma once

#include "cell.h"
#include "descriptor.h"
#include "report.h"
#include "spec.h"
#include "status.h"

namespace codejail {

// What is held between the confinement and the call.
struct Confined {
  Descriptor report;
  Descriptor directory;  // the cell's own, to be filled
  Descriptor landlock;
  char label[sizeof(Report::label)] = {};
};

// Afterwards descriptors 0 to 4 are the program's, `confined` holds the only others, and what is
// left to do at the call is Landlock and the call's own limits.
Status confine(const Spec& spec, Descriptor (&received)[kCellMost], Confined& confined);

}  // namespace codejail
