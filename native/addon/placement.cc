#include "placement.h"

#include <unistd.h>

#include <cstdlib>

#include "pidfd.h"

namespace codejail {
namespace {

// Not where /proc is of another PID namespace: there the number is somebody else's.
bool proc_is_own() {
  char number[16];
  const ssize_t length = readlink("/proc/self", number, sizeof(number) - 1);
  if (length <= 0) {
    return false;
  }
  number[length] = '\0';
  return std::strtol(number, nullptr, 10) == getpid();
}

}  // namespace

void Placement::keep_apart(pid_t process, const Descriptor& pidfd) {
  static const bool kCanTell = proc_is_own();
  const int here = sched_getcpu();
  if (!kCanTell || process <= 0 || here < 0 || here >= CPU_SETSIZE ||
      sched_getaffinity(process, sizeof(before_), &before_) != 0) {
    return;
  }
  cpu_set_t apart = before_;
  CPU_CLR(here, &apart);
  if (CPU_COUNT(&apart) == 0 || sched_setaffinity(process, sizeof(apart), &apart) != 0) {
    return;
  }
  process_ = process;
  if (has_ended(pidfd)) {
    // Its number may have been somebody else's already.
    (void)sched_setaffinity(process, sizeof(before_), &before_);
    process_ = -1;
  }
}

void Placement::restore(const Descriptor& pidfd) {
  if (process_ > 0 && !has_ended(pidfd)) {
    (void)sched_setaffinity(process_, sizeof(before_), &before_);
  }
  process_ = -1;
}

}  // namespace codejail
