// A process by its pidfd.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>

#include "core/descriptor.h"

namespace codejail {

// P_PIDFD of waitid(2), which glibc names since 2.36.
inline constexpr auto kByPidfd = static_cast<idtype_t>(3);

// Whether it is dead, reaped or not, after so many milliseconds at most; -1: it waits for it.
bool has_ended(const Descriptor& pidfd, int milliseconds = 0);

// Blocks until the process is dead, and reaps it. Gives up after `milliseconds`; -1: never.
bool wait_for_end(const Descriptor& pidfd, int milliseconds = -1);

// Whether the process is dead; it then is reaped, and `status` is its exit status or minus the
// signal's number, as it was where somebody else has reaped it.
bool reap(const Descriptor& pidfd, int& status);

// Its number, -1 where it is not known.
pid_t number_of(const Descriptor& pidfd);

}  // namespace codejail
