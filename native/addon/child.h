// A child of this process by its number, for where no descriptor is left for a pidfd. The number is
// not given to another process before the child is reaped (wait(2), NOTES).
#pragma once

#include <sys/types.h>

namespace codejail {

// Nothing where it is no child of this process.
void kill_child(pid_t child);

// Whether it is dead; it then is reaped. `options`: WNOHANG, or 0 to wait for it.
bool reap_child(pid_t child, int options);

}  // namespace codejail
