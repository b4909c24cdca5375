// What a session's Python calls (core/session.h), by `_ctypes`: with the interpreter's lock held,
// in its first thread.
#include "core/session.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

#include "cell/keeper.h"
#include "cell/python.h"
#include "cell/working_pages.h"
#include "core/landlock.h"

namespace codejail {
namespace {

// Every signal that can be: no handler of the program's runs where nothing of the program does.
bool block_signals() {
  sigset_t all;
  sigfillset(&all);
  return sigprocmask(SIG_SETMASK, &all, nullptr) == 0;
}

int ask(SessionAsk what, long argument) {
  const long answer = syscall(kSessionCall, static_cast<long>(what), argument);
  return answer < 0 ? -errno : static_cast<int>(answer);
}

// A fork that is a child of PID 1, as this process is: not libc's, whose handlers and Python's
// would have it differ from its parent (random numbers, locks). As fork(2).
long fork_as_sibling() {
  pid_t* const number = thread_number();
  if (number == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  static_assert(kSiblingFlags ==
                (CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD));
  constexpr unsigned long kFlags = kSiblingFlags;
#if defined(__x86_64__)
  return syscall(SYS_clone, kFlags, nullptr, nullptr, number, 0);
#else
  return syscall(SYS_clone, kFlags, nullptr, nullptr, 0, number);
#endif
}

bool begin_fork() {
  // What it starts is told from what others start by this: all of it descends from it while it
  // lives.
  if (!take_robust_list() || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return false;
  }
  learned_pages().take_written();
  if (python().renew_output != nullptr) {
    python().renew_output();
  }
  return true;
}

}  // namespace
}  // namespace codejail

#define CODEJAIL_EXPORT extern "C" __attribute__((visibility("default")))

// Makes forks, each when PID 1 says so, and returns in every one of them, 0; not in this process,
// which is a state now, but where it can't be one: -errno. All signals are blocked afterwards.
CODEJAIL_EXPORT int codejail_session_state() {
  using namespace codejail;
  if (!block_signals()) {
    return -errno;
  }
  long forked = 0;
  for (;;) {
    if (const int answer = ask(SessionAsk::kWait, forked); answer < 0) {
      return answer;
    }
    forked = fork_as_sibling();
    if (forked == 0) {
      return begin_fork() ? 0 : -EPERM;
    }
    if (forked < 0) {
      forked = -errno;
    }
  }
}

// Waits for a step's descriptors: 0, or -errno.
CODEJAIL_EXPORT int codejail_session_take() {
  return codejail::ask(codejail::SessionAsk::kTake, 0);
}

// Enters a domain of its own, where it has to be apart; whether that is so. The domain's number
// stays taken: a file of the program's would have it, and the next step's domain take it away.
CODEJAIL_EXPORT int codejail_session_begin(int is_apart) {
  using namespace codejail;
  Descriptor domain(kFirstStepFd + static_cast<int>(kStepDomain));
  const bool is_so = is_apart == 0 || restrict_with_landlock(domain).ok();
  constexpr int kRequest = kFirstStepFd + static_cast<int>(kStepRequest);
  return is_so && dup3(kRequest, domain.release(), O_CLOEXEC) >= 0 ? 1 : 0;
}

// The step's code has ended. A SessionAnswer, or -errno.
CODEJAIL_EXPORT int codejail_session_done() {
  return codejail::ask(codejail::SessionAsk::kDone, 0);
}

// No handler of the program's runs from now on.
CODEJAIL_EXPORT int codejail_session_hold() {
  return codejail::block_signals() ? 1 : 0;
}
