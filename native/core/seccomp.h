// The seccomp filter: which system calls a jailed program may make, and how the rest are answered.
#pragma once

#include "core/descriptor.h"
#include "core/filter.h"
#include "core/filter_policy.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// The filter itself. False where it is too long. By the spec's kNoUnixSockets there are no sockets
// but pairs, and no addresses: without a mount and network namespace of its own the jail could
// reach the host's (landlock(7) does not cover connect). Without kOwnRoot no call reads or changes
// by its name what Landlock does not guard. By its kNoTruncation files can't be truncated by their
// names; Landlock before its version 3 does not cover that (landlock(7)).
bool make_seccomp_filter(const FilterPolicy& policy, const Spec& spec, Filter& filter);
// Installs it on this process and all that it will start. Needs no_new_privs. `listener` is set
// where the policy has one; EBUSY where a filter that was there before has one already.
Status install_seccomp_filter(const FilterPolicy& policy, const Spec& spec, Descriptor& listener);

}  // namespace codejail
