#include "processor_share.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace codejail {

Status weigh_less(int nice) {
  errno = 0;
  const int now = getpriority(PRIO_PROCESS, 0);
  if (errno != 0) {
    return Status::failure(Step::kPriority, errno, "getpriority");
  }
  return now >= nice || setpriority(PRIO_PROCESS, 0, nice) == 0
             ? Status::success()
             : Status::failure(Step::kPriority, errno);
}

Status leave_process_group() {
  return setpgid(0, 0) == 0 ? Status::success() : Status::failure(Step::kSession, errno);
}

}  // namespace codejail
