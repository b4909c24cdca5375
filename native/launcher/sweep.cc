#include "launcher/sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/credentials.h"
#include "core/descriptor.h"
#include "core/directory.h"

namespace codejail {
namespace {

constexpr int kRounds = 1000;
constexpr long kPauseNs = 2000000;

// A zombie runs no more, and is reaped by whoever its new parent is: in many containers by nobody.
bool is_zombie(pid_t process) {
  char path[64];
  char text[512];
  (void)std::snprintf(path, sizeof(path), "/proc/%d/stat", process);
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t count = file.valid() ? read(file.get(), text, sizeof(text) - 1) : 0;
  if (count <= 0) {
    return true;
  }
  text[count] = '\0';
  // The name in parentheses is the program's own choice: the state follows the last of them.
  const char* end = std::strrchr(text, ')');
  return end != nullptr && std::strncmp(end, ") Z", 3) == 0;
}

bool any_left() {
  const Directory proc(opendir("/proc"));
  if (!proc) {
    return true;
  }
  while (const dirent* entry = readdir(proc.get())) {
    const auto process = static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10));
    // Those that this process may signal are those of the uid.
    if (process > 0 && process != getpid() && kill(process, 0) == 0 && !is_zombie(process)) {
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
