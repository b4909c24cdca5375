#include "launcher/inherited.h"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>

#include "core/syscalls.h"

namespace codejail {

// The server's descriptors that were opened without close-on-exec must not enter the jail.
Status close_other_descriptors(const SpecHeader& header) {
  int kept[kLauncherFds];
  std::copy(header.descriptors.begin(), header.descriptors.end(), kept);
  std::sort(kept, kept + kLauncherFds);
  unsigned next = 0;
  for (const int descriptor : kept) {
    if (descriptor < 0) {
      continue;
    }
    const auto number = static_cast<unsigned>(descriptor);
    if (number > next && sys_close_range(next, number - 1, 0) != 0) {
      return Status::failure(Step::kCloseDescriptors, errno);
    }
    // Back to close-on-exec: the program gets copies of those that are for it.
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
      return Status::failure(Step::kCloseDescriptors, errno);
    }
    next = number + 1;
  }
  if (sys_close_range(next, ~0U, 0) != 0) {
    return Status::failure(Step::kCloseDescriptors, errno);
  }
  // The program's own numbers are never given to a file of the launcher's: it would be replaced
  // when the standard streams are set.
  for (int filler = 0; filler < kProgramNumbers;) {
    filler = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (filler < 0) {
      return Status::failure(Step::kCloseDescriptors, errno, "/dev/null");
    }
    if (filler >= kProgramNumbers) {
      ::close(filler);
    }
  }
  return Status::success();
}

void reset_signals() {
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    // Ignored signals stay ignored over exec; the program is to start with the defaults. EINVAL for
    // SIGKILL, SIGSTOP and libc's own is expected.
    (void)::signal(signal_number, SIG_DFL);
  }
  // The launcher reads what it needs from a signalfd; as PID 1 it is deaf to the rest anyway.
  sigset_t all;
  sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, nullptr);  // fails for a bad argument only
}

}  // namespace codejail
