// Capabilities, groups, gid and uid: given up for good, and read back.
#pragma once

#include "spec.h"

namespace codejail {

// Locked securebits, empty bounding set; groups, gid and uid; all capability sets empty.
Status drop_credentials(const Spec& spec);
// Without a PID namespace: the program gives up the launcher's real uid, which it was forked with.
Status become_sandbox_user(const Spec& spec);
Status set_no_new_privileges();

}  // namespace codejail
