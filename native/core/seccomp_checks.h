// What system calls may be asked for (core/seccomp_arguments.h), as instructions.
#pragma once

#include <cstdint>

#include "core/filter.h"
#include "core/filter_policy.h"
#include "core/seccomp_calls.h"

namespace codejail {

// Of calls that are not refused already; what was found for one goes on where its arguments are as
// they have to be.
void check_arguments(Filter& filter, Calls& calls, const FilterPolicy& policy);
// The errno that the filter answers a call for its arguments; 0 where these are as they have to be.
int refused_for_arguments(int call, const std::uint64_t (&arguments)[6]);

}  // namespace codejail
