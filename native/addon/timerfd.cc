#include "addon/timerfd.h"

#include <sys/timerfd.h>

namespace codejail {

Timerfd Timerfd::make() {
  Timerfd timerfd;
  timerfd.timer_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  return timerfd;
}

void Timerfd::set(long nanoseconds) const {
  if (timer_.valid()) {
    itimerspec once{};
    once.it_value.tv_nsec = nanoseconds;
    // It fails for a bad argument only; a supervisor also looks when its main process ends.
    (void)timerfd_settime(timer_.get(), 0, &once, nullptr);
  }
}

}  // namespace codejail
