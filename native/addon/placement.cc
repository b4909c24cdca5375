#include "placement.h"

#include "pidfd.h"

namespace codejail {

void Placement::keep_apart(pid_t process, const Descriptor& pidfd) {
  const int here = sched_getcpu();
  if (process <= 0 || here < 0 || here >= CPU_SETSIZE ||
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
