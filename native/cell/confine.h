// Confines a cell's main process: the launcher's list, for a process that is the program already.
#pragma once

#include "core/descriptor.h"
#include "core/descriptor_table.h"
#include "core/report.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// What is held between the confinement and the call.
struct Confined {
  Descriptor report;
  Descriptor landlock;
  Descriptor apparmor;  // valid where the profile is still to be changed
  Descriptor link;      // to PID 1, until there is a filter
  char label[sizeof(Report::label)] = {};
};

// Afterwards descriptors 0 to 4 are the program's, `confined` holds the only others, and what is
// left to do at the call is Landlock and the call's own limits; under AppArmor also to seal it.
Status confine(const Spec& spec, Descriptor (&received)[kCellFds], Confined& confined);

// The profile, `no_new_privs` and the filter, in this order. Under AppArmor only when the call's
// files are written, which the profile denies.
Status seal(const Spec& spec, Confined& confined);

}  // namespace codejail
