#include "sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "credentials.h"
#include "descriptor.h"
#include "directory.h"

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

void sweep_uid(const Spec& spec) {
  if (!drop_credentials(spec).ok()) {
    _exit(1);
  }
  for (int round = 0; round < kRounds; ++round) {
    // Reaches a process that was forked while the others were being killed in a later round.
    (void)kill(-1, SIGKILL);
    if (!any_left()) {
      _exit(0);
    }
    const timespec pause{0, kPauseNs};
    nanosleep(&pause, nullptr);
  }
  _exit(1);
}

}  // namespace codejail
