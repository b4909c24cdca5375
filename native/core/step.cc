#include "core/step.h"

#include <iterator>

namespace codejail {
namespace {

struct StepText {
  const char* name;
  const char* syscall;
};

constexpr StepText kTexts[] = {
    {"lease a uid", "fcntl"},
    {"make the cgroup", "mkdirat"},
    {"make the pipes", "pipe2"},
    {"start a thread", "pthread_create"},
    {"write the spec", "memfd_create"},
    {"clone", "clone3"},
    {"start the launcher", "execveat"},
    {"enter the cgroup", "write"},
    {"read the spec", "mmap"},
    {"close descriptors", "close_range"},
    {"lower the priority", "setpriority"},
    {"leave the server's session", "setpgid"},
    {"make the namespaces", "clone3"},
    {"write the id maps", "write"},
    {"set the host name", "sethostname"},
    {"open the AppArmor attribute", "openat"},
    {"mount the jail's root", "mount"},
    {"copy files into the jail", "openat2"},
    {"change the root", "pivot_root"},
    {"open the program", "openat"},
    {"set resource limits", "setrlimit"},
    {"drop capabilities", "capset"},
    {"drop groups", "setgroups"},
    {"change the user", "setresuid"},
    {"change the AppArmor profile", "write"},
    {"read the AppArmor label back", "read"},
    {"set no_new_privs", "prctl"},
    {"restrict with Landlock", "landlock_restrict_self"},
    {"install the seccomp filter", "seccomp"},
    {"supervise", "signalfd"},
    {"fork the program", "clone"},
    {"set standard streams", "dup3"},
    {"change to the working directory", "chdir"},
    {"start the program", "execveat"},
    {"make a cell", "clone3"},
    {"fork the cell", "fork"},
    {"join the cell's namespaces", "setns"},
    {"read the call", "read"},
    {"write the cell's files", "openat"},
};
static_assert(std::size(kTexts) == static_cast<std::uint32_t>(kLastStep) + 1);

constexpr StepText kUnknown = {"an unknown step", "unknown"};

const StepText& text_of(Step step) {
  return step <= kLastStep ? kTexts[static_cast<std::uint32_t>(step)] : kUnknown;
}

}  // namespace

const char* step_name(Step step) {
  return text_of(step).name;
}
const char* step_syscall(Step step) {
  return text_of(step).syscall;
}

}  // namespace codejail
