// The uid and gid maps of a new user namespace (user_namespaces(7)).
#pragma once

#include <sys/types.h>

#include "core/spec.h"

namespace codejail {

// Written by the process inside: its own id, the only one that needs no privilege.
Status map_own_id(const SpecHeader& header);
// Written by a privileged process outside for `process`: root, and the sandbox user.
Status map_sandbox_id(const SpecHeader& header, pid_t process);
// Written by a privileged process outside: the spec's id alone.
Status map_one_id(const SpecHeader& header, pid_t process);

}  // namespace codejail
