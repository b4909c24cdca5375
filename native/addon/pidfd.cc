#include "addon/pidfd.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace codejail {

bool has_ended(const Descriptor& pidfd, int milliseconds) {
  pollfd event{pidfd.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&event, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool wait_for_end(const Descriptor& pidfd, int milliseconds) {
  // Not waitid alone: libuv has made the pidfd non-blocking, which makes waitid answer EAGAIN
  // (pidfd_open(2)).
  if (!has_ended(pidfd, milliseconds)) {
    return false;
  }
  siginfo_t info{};
  // ECHILD: somebody else's wait took it.
  (void)waitid(kByPidfd, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL);
  return true;
}

bool reap(const Descriptor& pidfd, int& status) {
  // Of a process that lives and is no child of this one, as a cell's PID 1, waitid says ECHILD,
  // too.
  if (!has_ended(pidfd, 0)) {
    return false;
  }
  siginfo_t info{};
  if (waitid(kByPidfd, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG | __WALL) != 0) {
    // Somebody else's wait took it, or SIGCHLD is ignored in this process: it is dead all the same.
    return errno == ECHILD;
  }
  if (info.si_pid == 0) {
    return false;
  }
  status = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  return true;
}

pid_t number_of(const Descriptor& pidfd) {
  char path[64];
  char text[512];
  (void)std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd.get());
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t count = file.valid() ? read(file.get(), text, sizeof(text) - 1) : -1;
  if (count <= 0) {
    return -1;
  }
  text[count] = '\0';
  const char* line = std::strstr(text, "\nPid:");
  return line == nullptr ? -1 : static_cast<pid_t>(std::strtol(line + 5, nullptr, 10));
}

}  // namespace codejail
