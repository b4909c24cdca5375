// Capabilities, groups, gid and uid: given up for good, and read back.
#pragma once

#include "spec.h"

namespace codejail {

// Locked securebits, empty bounding set; groups, gid and uid; all capability sets empty.
Status drop_credentials(const Spec& spec);
Status set_no_new_privileges();

}  // namespace codejail
