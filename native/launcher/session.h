// The session that a jail is in: its server's, or where it must be another, one that weighs less.
#pragma once

#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

class Session {
 public:
  // Leaves the server's process group and its terminal. `apart`: whatever a process in the same
  // session could do to the server, the jail must not, since it sees the server's processes: it may
  // wake them by SIGCONT (kernel/signal.c, kill_ok_by_cred).
  Status leave_server(bool apart);
  // A new session's weight is lowered at once, or where the kernel lets only one process of the
  // host do that in a tenth of a second, later (kernel/sched/autogroup.c).
  void weigh_less();

 private:
  // Open as long as it is yet to be written to.
  Descriptor autogroup_;
};

}  // namespace codejail
