#include "process_end.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

namespace codejail {

bool wait_for_end(const Descriptor& pidfd, int milliseconds) {
  // Not waitid alone: libuv has made the pidfd non-blocking, which makes waitid answer EAGAIN
  // (pidfd_open(2)).
  pollfd event{pidfd.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&event, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) {
    return false;
  }
  siginfo_t info{};
  (void)waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL);
  return true;
}

}  // namespace codejail
