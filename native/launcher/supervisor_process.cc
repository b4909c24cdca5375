#include "launcher/supervisor_process.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstddef>

#include "core/credentials.h"
#include "core/read_whole.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr int kLifeline = 0;
constexpr int kTell = 1;
// Of one supervisor: each keeper has a copy of the nursery's memory. What is not touched takes
// none.
constexpr std::size_t kStackBytes = 131072;
alignas(16) char stack[kStackBytes];

struct Entry {
  const SupervisorProcess& process;
  int told[2];
};

int enter(void* data) {
  const auto* entry = static_cast<Entry*>(data);
  ::close(entry->told[0]);
  ::close(entry->told[1]);
  entry->process.run(entry->process.argument);
  _exit(2);
}

// There are two in this memory by now: no call may fail that would set errno, which is of both.
bool give_all_up(int lifeline, int tell) {
  // It has time, and the call's caller has not.
  constexpr int kLowest = 19;
  return dup3(lifeline, kLifeline, O_CLOEXEC) == kLifeline &&
         dup3(tell, kTell, O_CLOEXEC) == kTell && sys_close_range(kTell + 1, ~0U, 0) == 0 &&
         setpriority(PRIO_PROCESS, 0, kLowest) == 0 && prctl(PR_SET_NAME, "codejail-keeper") == 0 &&
         empty_capability_sets().ok() && prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0;
}

// The supervisor waits for its ids until the nursery has been told: nothing of a cell goes on
// before this process has nothing that it could lend.
[[noreturn]] void become_keeper(Entry& entry) {
  const int lifeline = entry.process.lifeline;
  const int tell = entry.told[1];
  // CLONE_PARENT: the nursery has its ids mapped, and the kernel reaps it for the nursery.
  const int flags = static_cast<int>(entry.process.namespaces) | CLONE_VM | CLONE_PARENT | SIGCHLD;
  const pid_t child = clone(enter, stack + kStackBytes, flags, &entry);
  const int told = child < 0 ? -errno : child;
  const bool is_kept = child > 0 && give_all_up(lifeline, tell);
  // Where it can't be told, the nursery sees the pipe's end; where nothing can be waited for, the
  // supervisor's memory is freed with it. What these return is of no use here.
  (void)!write(is_kept ? kTell : tell, &told, sizeof(told));
  if (is_kept) {
    char nothing = 0;
    (void)!read(kLifeline, &nothing, 1);
  }
  // Not exit_group, which the strict mode does not have.
  (void)syscall(SYS_exit, 0);  // does not return
  __builtin_unreachable();
}

Status start_alone(const SupervisorProcess& process, pid_t& number, Descriptor& pidfd) {
  int opened = -1;
  CloneArguments arguments{};
  arguments.flags = process.namespaces | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&opened);
  arguments.exit_signal = SIGCHLD;
  number = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (number == 0) {
    process.run(process.argument);
    _exit(2);
  }
  if (number < 0) {
    return Status::failure(Step::kNursery, errno);
  }
  pidfd.reset(opened);
  return Status::success();
}

Status start_kept(const SupervisorProcess& process, pid_t& number, Descriptor& pidfd) {
  Entry entry{process, {-1, -1}};
  if (pipe2(entry.told, O_CLOEXEC) != 0) {
    return Status::failure(Step::kNursery, errno, "pipe2");
  }
  const Descriptor reading(entry.told[0]);
  Descriptor telling(entry.told[1]);
  const auto keeper = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (keeper == 0) {
    become_keeper(entry);
  }
  if (keeper < 0) {
    return Status::failure(Step::kNursery, errno, "the supervisor's keeper");
  }
  telling.reset();
  int told = 0;
  const ssize_t count = read_whole(reading.get(), &told, sizeof(told));
  if (count < 0) {
    return Status::failure(Step::kNursery, errno, "read");
  }
  if (count != sizeof(told) || told <= 0) {
    return Status::failure(Step::kNursery, count == sizeof(told) ? -told : ECHILD);
  }
  number = told;
  // It waits for its ids; should it have been killed, numbers are not given again so soon.
  pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, number, 0)));
  if (!pidfd.valid()) {
    const Status failure = Status::failure(Step::kNursery, errno, "pidfd_open");
    (void)kill(number, SIGKILL);  // ESRCH: it has ended
    return failure;
  }
  return Status::success();
}

// The strict mode is for a process that is under no filter, as that of a server in a container is.
bool can_be_kept() {
  static const bool kCan = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_DISABLED;
  return kCan;
}

}  // namespace

Status start_supervisor(const SupervisorProcess& process, pid_t& number, Descriptor& pidfd) {
  return process.lifeline >= 0 && can_be_kept() ? start_kept(process, number, pidfd)
                                                : start_alone(process, number, pidfd);
}

}  // namespace codejail
