// What becomes of single system calls, beyond the lists of core/seccomp_table.h. Each rule writes
// its instructions and has them gone on with for its calls; one that lets a call go on does so as
// the rules before it have said.
#pragma once

#include <sys/types.h>

#include "core/filter.h"
#include "core/filter_policy.h"
#include "core/seccomp_calls.h"
#include "core/spec.h"

namespace codejail {

void restrict_exec(Calls& calls, const FilterPolicy& policy);
void restrict_clone(Filter& filter, Calls& calls);
void count_calls(Filter& filter, Calls& calls, CountPolicy policy);
void ask_for_sessions(Filter& filter, Calls& calls, const FilterPolicy& policy);
void restrict_sockets(Filter& filter, Calls& calls);
void restrict_names(Calls& calls);
void restrict_memory(Filter& filter, Calls& calls, const FilterPolicy& policy);
void restrict_msync(Filter& filter, Calls& calls);
void restrict_file_flags(Filter& filter, Calls& calls);
void restrict_locks(Filter& filter, Calls& calls, const FilterPolicy& policy);
void restrict_landlock(Calls& calls, ExecPolicy exec, const Spec& spec);
void deny_truncation(Filter& filter, Calls& calls);
void protect_others(Filter& filter, Calls& calls, const FilterPolicy& policy);
void keep_core_limit(Filter& filter, Calls& calls);
void tell_attempts(Filter& filter, Calls& calls, const FilterPolicy& policy);

}  // namespace codejail
