#include "launcher/step_signals.h"

#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/process_memory.h"
#include "launcher/process_tree.h"

namespace codejail {
namespace {

constexpr pid_t kInit = 1;

// The child of PID 1 that a thread descends from.
pid_t root_of_thread(int proc, const ProcessTree& tree, std::uint32_t thread) {
  if (tree.find(static_cast<pid_t>(thread)) != nullptr) {
    return tree.root_of(static_cast<pid_t>(thread));
  }
  char path[32];
  char text[4096];
  (void)std::snprintf(path, sizeof(path), "%u/status", thread);
  const char* const line =
      read_text(proc, path, text, sizeof(text)) ? std::strstr(text, "\nTgid:") : nullptr;
  return line == nullptr ? 0 : tree.root_of(static_cast<pid_t>(std::strtol(line + 6, nullptr, 10)));
}

}  // namespace

bool StepSignals::answer(const Descriptor& listener, const Notification& call) const {
  switch (call.number()) {
    case SYS_pidfd_send_signal:
      return signal_by_pidfd(listener, call);
    case SYS_prlimit64:
    case SYS_sched_setaffinity:
    case SYS_sched_setparam:
    case SYS_sched_setscheduler:
      return reach(listener, call, static_cast<std::uint32_t>(call.argument(0)));
    case SYS_setpriority:
    case SYS_ioprio_set:
      return reach(listener, call, static_cast<std::uint32_t>(call.argument(1)));
    default:
      break;
  }
  const auto target = static_cast<pid_t>(call.argument(0));
  if (call.number() == SYS_kill && target <= 0) {
    return signal_many(listener, call);
  }
  if (target == kInit) {
    return call.refuse(listener, EPERM);
  }
  const ProcessTree tree(proc_.get());
  // A thread's number is not in /proc's list; what has it for a process, or its process, is asked
  // for by the kernel itself (tgkill(2)). tkill names a thread alone.
  if (call.number() == SYS_tkill && tree.find(target) == nullptr) {
    return call.refuse(listener, EPERM);
  }
  const pid_t root = tree.root_of(target);
  if (root == 0) {
    return call.refuse(listener, ESRCH);
  }
  // The numbers are in registers: the kernel makes the call with those that were looked at. The
  // target's can't be another's before that is waited for, and its root is not until it ends.
  return root == root_of_thread(proc_.get(), tree, call.caller()) ? call.go_on(listener)
                                                                  : call.refuse(listener, EPERM);
}

bool StepSignals::reach(const Descriptor& listener, const Notification& call,
                        std::uint32_t target) const {
  const ProcessTree tree(proc_.get());
  const pid_t root = root_of_thread(proc_.get(), tree, target);
  if (root == 0) {
    return call.refuse(listener, ESRCH);
  }
  return root == root_of_thread(proc_.get(), tree, call.caller()) ? call.go_on(listener)
                                                                  : call.refuse(listener, EPERM);
}

bool StepSignals::signal_many(const Descriptor& listener, const Notification& call) const {
  const auto target = static_cast<pid_t>(call.argument(0));
  const auto signal = static_cast<int>(call.argument(1));
  const auto caller = static_cast<pid_t>(call.caller());
  if (signal < 0 || signal > SIGRTMAX) {
    return call.refuse(listener, EINVAL);
  }
  const ProcessTree tree(proc_.get());
  const pid_t root = root_of_thread(proc_.get(), tree, call.caller());
  const ProcessEntry* const own = tree.find(root);
  const pid_t group = target < -1 ? -target : own == nullptr ? 0 : own->group;
  bool is_any = false;
  for (const ProcessEntry& entry : tree.processes()) {
    const bool is_meant = target == -1 ? entry.number != caller : entry.group == group;
    if (root != 0 && is_meant && tree.root_of(entry.number) == root) {
      is_any = kill(entry.number, signal) == 0 || is_any;
    }
  }
  return is_any ? call.complete(listener, 0) : call.refuse(listener, ESRCH);
}

// The kernel would read anew which process the number is of.
bool StepSignals::signal_by_pidfd(const Descriptor& listener, const Notification& call) const {
  const pid_t target = target_of_pidfd(call);
  const ProcessTree tree(proc_.get());
  if (target <= kInit || tree.root_of(target) == 0) {
    return call.refuse(listener, target == 0 ? EBADF : ESRCH);
  }
  if (tree.root_of(target) != root_of_thread(proc_.get(), tree, call.caller())) {
    return call.refuse(listener, EPERM);
  }
  return kill(target, static_cast<int>(call.argument(1))) == 0 ? call.complete(listener, 0)
                                                               : call.refuse(listener, errno);
}

// 0 where it is none, -1 of a process that has ended (pidfd_open(2)).
pid_t StepSignals::target_of_pidfd(const Notification& call) const {
  char path[64];
  char text[1024];
  (void)std::snprintf(path, sizeof(path), "%u/fdinfo/%d", call.caller(),
                      static_cast<int>(call.argument(0)));
  if (!read_text(proc_.get(), path, text, sizeof(text))) {
    return 0;
  }
  constexpr char kLine[] = "\nPid:";
  const char* const line = std::strstr(text, kLine);
  return line == nullptr ? 0
                         : static_cast<pid_t>(std::strtol(line + sizeof(kLine) - 1, nullptr, 10));
}

}  // namespace codejail
