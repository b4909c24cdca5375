#include "addon/child.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

namespace codejail {

void kill_child(pid_t child) {
  siginfo_t info{};
  // Of no child, the number may be anybody's: somebody else's wait took it, or SIGCHLD is ignored
  // in this process.
  if (child > 0 &&
      waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0) {
    (void)kill(child, SIGKILL);  // ESRCH: it has ended
  }
}

bool reap_child(pid_t child, int options) {
  siginfo_t info{};
  int result = 0;
  do {
    result = waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | __WALL | options);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? info.si_pid != 0 : errno == ECHILD;
}

}  // namespace codejail
