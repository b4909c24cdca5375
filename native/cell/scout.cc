#include "cell/scout.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "cell/fork.h"
#include "core/descriptor_numbers.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr int kPages = 5;
constexpr int kFirstOther = 6;

bool take_descriptors(const Descriptor& request, const Descriptor& pages) {
  Descriptor null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const int sources[kFirstOther] = {-1, null.get(), -1, request.get(), null.get(), pages.get()};
  // Its number may be another one's afterwards.
  return null.release() >= 0 && number_descriptors(sources, kFirstOther, kFirstOther).ok() &&
         sys_close_range(kFirstOther, ~0U, 0) == 0;
}

}  // namespace

ScoutOutcome send_scout(Descriptor request, WorkingPages& pages, int patience_ms) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return ScoutOutcome::kNotForked;
  }
  Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const pid_t child = fork_apart();
  if (child < 0) {
    return ScoutOutcome::kNotForked;
  }
  if (child == 0) {
    if (!take_descriptors(request, writing)) {
      _exit(1);
    }
    // Their numbers may be the program's by now.
    (void)request.release();
    (void)writing.release();
    (void)reading.release();
    return ScoutOutcome::kInScout;
  }
  writing.reset();
  const bool in_time = pages.learn(reading.get(), patience_ms);
  if (!in_time) {
    (void)kill(child, SIGKILL);  // ESRCH: it has ended
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      // A preloaded module has SIGCHLD ignored.
      status = 0;
      break;
    }
  }
  if (!in_time) {
    return ScoutOutcome::kTooLate;
  }
  return status == 0 ? ScoutOutcome::kLearned : ScoutOutcome::kFailed;
}

bool report_of_scout() {
  // Python finds the function that ends a call where it is first used, by reading libc's tables.
  (void)dlsym(RTLD_DEFAULT, "_exit");  // only so that it is looked up
  // Else its own files of /proc are root's (proc(5)). No cell lives yet that could look.
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && WorkingPages::report(kPages);
}

}  // namespace codejail
