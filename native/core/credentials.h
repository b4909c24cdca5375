// Capabilities, groups, gid and uid: given up for good, and read back.
#pragma once

#include "core/spec.h"

namespace codejail {

// Locked securebits, empty bounding set; groups, gid and uid; all capability sets empty.
Status drop_credentials(const Spec& spec);
// All of this process's but the bounding set, and reads them back.
Status empty_capability_sets();
// Without a PID namespace: the program gives up the launcher's real uid, which it was forked with.
Status become_sandbox_user(const Spec& spec);
Status set_no_new_privileges();
// Root alone may look at this process from then on: no program of the same uid can read or write
// its memory through /proc/PID/mem (ptrace(2), "Ptrace access mode checking").
Status become_undumpable();
// Of a template, in its own new user namespace: becomes the root of that namespace, the only id
// that is mapped, and keeps the capabilities there, with which it makes the namespaces of cells.
Status become_namespace_root(const Spec& spec);

}  // namespace codejail
