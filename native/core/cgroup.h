// The launcher's part in the jail's own cgroup (cgroup v2), by files that the server has opened: a
// jail has no cgroup file system.
#pragma once

#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// Where the clone could not do it: `procs` is the open cgroup.procs of the jail's cgroup.
Status join_cgroup(int procs);

// Makes the cgroup that this process is in the root of all that it and the jail can see of them.
Status hide_outer_cgroups(const Spec& spec);

// Sets memory.max to what the set-up has taken plus what the program may take, and gives the files
// up. The set-up itself can so not be killed by a limit that is meant for the program.
Status wall_memory(const SpecHeader& header);

// The CPU that the jail's cgroup has used, in microseconds; 0 where it can't be read.
std::uint64_t cgroup_cpu_us(int cpu_stat);

}  // namespace codejail
