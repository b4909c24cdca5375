// How a jail's processes weigh less than their server's for the kernel's scheduler.
#pragma once

#include "core/status.h"

namespace codejail {

// Of a server's weight of 1024 that leaves who watches 335, and what is watched, a step further,
// 110 (kernel/sched/core.c, sched_prio_to_weight). Not 15 as at 19: where anything else is busy in
// the server's group, as all of a container may be, right programs would reach their limits of
// time.
constexpr int kNiceStep = 5;

// Raises the nice value of the calling thread, and of all that it will start, by a step: a server
// may have one itself. RLIMIT_NICE is 0 in a jail, so that nobody there can lower it again.
Status weigh_less();

// A process group of its own, and no session: each session has a scheduler's group of its own, with
// the weight of a whole server, however nice its processes are (sched(7), "The autogroup feature").
// Within the server's session the jails share what the server leaves.
Status leave_process_group();

}  // namespace codejail
