#include "core/processor_share.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace codejail {

Status weigh_less() {
  constexpr int kMostNice = 19;
  errno = 0;
  const int now = getpriority(PRIO_PROCESS, 0);
  if (errno != 0) {
    return Status::failure(Step::kPriority, errno, "getpriority");
  }
  return setpriority(PRIO_PROCESS, 0, std::min(now + kNiceStep, kMostNice)) == 0
             ? Status::success()
             : Status::failure(Step::kPriority, errno);
}

Status leave_process_group() {
  return setpgid(0, 0) == 0 ? Status::success() : Status::failure(Step::kSession, errno);
}

}  // namespace codejail
