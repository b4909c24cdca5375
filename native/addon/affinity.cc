#include "addon/affinity.h"

#include <unistd.h>

#include <cstdlib>

#include "addon/pidfd.h"

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

void Affinity::take(const Descriptor& pidfd) {
  static const bool kCanTell = proc_is_own();
  pidfd_ = &pidfd;
  process_ = kCanTell ? number_of(pidfd) : -1;
}

void Affinity::keep_apart() {
  const int here = sched_getcpu();
  if (process_ <= 0 || here < 0 || here >= CPU_SETSIZE ||
      sched_getaffinity(process_, sizeof(before_), &before_) != 0) {
    return;
  }
  cpu_set_t apart = before_;
  CPU_CLR(here, &apart);
  if (CPU_COUNT(&apart) == 0 || sched_setaffinity(process_, sizeof(apart), &apart) != 0) {
    return;
  }
  is_apart_ = !has_ended(*pidfd_);
  if (!is_apart_) {
    // Its number may have been somebody else's already: that one is put back, or is gone.
    (void)sched_setaffinity(process_, sizeof(before_), &before_);
  }
}

void Affinity::restore() {
  if (is_apart_ && !has_ended(*pidfd_)) {
    // Only for speed.
    (void)sched_setaffinity(process_, sizeof(before_), &before_);
  }
  is_apart_ = false;
}

}  // namespace codejail
