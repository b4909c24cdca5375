// The seccomp filter: which system calls a jailed program may make, and how the rest are answered.
#pragma once

#include <sys/types.h>

#include "descriptor.h"
#include "filter.h"
#include "spec.h"
#include "status.h"

namespace codejail {

// Installs the filter on this process and all that it will start. Needs no_new_privs.
// kAsk puts every execve and execveat to whoever holds `listener` (seccomp_unotify(2)): a filter
// alone can't tell the program's own start from a later one. kDeny answers EACCES: for a process
// that is the program already; its `listener` answers nothing, and keeps the filter beyond the end
// of those that are under it. By the spec's kNoUnixSockets AF_UNIX is not allowed: without a mount
// and network namespace of its own the jail could reach the host's (landlock(7) does not cover
// connect). By its kNoTruncation files can't be truncated by their names; Landlock before its
// version 3 does not cover that (landlock(7)). `launcher`: the one process of the jail whose limits
// and scheduling nobody may change.
enum class ExecPolicy { kAllow, kAsk, kDeny };
// The filter itself. False where it is too long.
bool make_seccomp_filter(ExecPolicy exec, const Spec& spec, pid_t launcher, Filter& filter);
Status install_seccomp_filter(ExecPolicy exec, const Spec& spec, pid_t launcher,
                              Descriptor* listener = nullptr);

}  // namespace codejail
