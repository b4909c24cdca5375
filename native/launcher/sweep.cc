#include "launcher/sweep.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

#include "core/credentials.h"
#include "core/directory.h"
#include "launcher/process_stat.h"

namespace codejail {
namespace {

constexpr int kRounds = 1000;
constexpr long kPauseNs = 2000000;

// A zombie runs no more, and is reaped by whoever its new parent is: in many containers by nobody.
bool runs(int proc, pid_t process) {
  ProcessStat stat{};
  return read_process_stat(proc, process, stat) && !stat.is_dead;
}

bool any_left() {
  const Directory proc(opendir("/proc"));
  if (!proc) {
    return true;
  }
  while (const dirent* entry = readdir(proc.get())) {
    const auto process = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    // Those that this process may signal are those of the uid.
    if (process > 0 && process != getpid() && kill(process, 0) == 0 &&
        runs(dirfd(proc.get()), process)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status end_leftovers(uid_t caller) {
  // The real and the effective uid of the sender are what kill(2) compares: neither may reach more
  // than one jail.
  for (const uid_t own : {getuid(), geteuid()}) {
    if (own == 0 || own == caller) {
      return Status::failure(Step::kLease, EPERM, "the leased uid belongs to no jail");
    }
  }
  for (int round = 0; round < kRounds; ++round) {
    // Reaches a process that was forked while the others were being killed in a later round. ESRCH:
    // nobody is left.
    (void)kill(-1, SIGKILL);
    if (!any_left()) {
      return Status::success();
    }
    const timespec pause{0, kPauseNs};
    nanosleep(&pause, nullptr);
  }
  return Status::failure(Step::kLease, EBUSY, "a process of the leased uid does not end");
}

void sweep_uid(const Spec& spec) {
  const uid_t caller = getuid();
  _exit(drop_credentials(spec).ok() && end_leftovers(caller).ok() ? 0 : 1);
}

}  // namespace codejail
