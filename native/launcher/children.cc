#include "launcher/children.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cerrno>

#include "core/apparmor.h"

namespace codejail {
namespace {

// A program can have orphans end as fast as they are reaped: the sums are looked at in between.
constexpr int kMostReaped = 64;
constexpr int kAll = -1;
// To wait4, and from `next_ended`.
constexpr pid_t kAny = -1;
constexpr pid_t kFailed = -2;

}  // namespace

void kill_all() {
  (void)kill(-1, SIGKILL);  // ESRCH: there is nobody
}

void Children::reap() {
  reap(WNOHANG, kMostReaped);
}

// Without a PID namespace a process may be forked while the others are being killed; it is over
// when none can be signalled any more.
void Children::end_all() {
  do {
    kill_all();
    reap(0, kAll);
  } while (by_uid_ && sums_.has_processes());
}

// Whoever is left in a PID namespace is a child of its PID 1, or of one that is
// (pid_namespaces(7)). Not by kill(-1, 0), which goes through all of the host's processes.
bool Children::are_gone() const {
  return by_uid_ ? kill(-1, 0) != 0 && errno == ESRCH : !has_children_;
}

void Children::reap(int options, int most) {
  for (int reaped = 0;; ++reaped) {
    has_more_to_reap_ = reaped == most;
    if (has_more_to_reap_) {
      return;
    }
    int status = 0;
    rusage usage{};
    const pid_t next = next_ended(options);
    const pid_t process =
        next == kAny || next > 0 ? wait4(next, &status, options | __WALL, &usage) : next;
    if (process < 0 && errno == EINTR) {
      continue;
    }
    if (process <= 0) {
      has_children_ = process == 0 || errno != ECHILD;
      return;
    }
    if (main_ < 0) {
      ask_();
    }
    if (on_end_) {
      on_end_(process, status, usage);
      continue;
    }
    // Where there is none, no call has begun, and the main process is the only one.
    if (process == main_ || main_ < 0) {
      end_main(status);
    }
  }
}

void Children::end_main(int status) {
  main_ended_ = true;
  sums_.end_main_process();
  report_.wait_status = status;
}

// The one that wait4 is to take next: any, but where there is a profile. A profile that is removed,
// or set to complain, while the program runs confines it no more; the label stays to be read of a
// process that has ended until it is waited for. 0 where none has ended.
pid_t Children::next_ended(int options) {
  if (profile_ == nullptr) {
    return kAny;
  }
  siginfo_t ended{};
  if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT | options | __WALL) != 0) {
    return kFailed;
  }
  if (main_ < 0) {
    ask_();
  }
  if (ended.si_pid != 0 && ended.si_pid == main_) {
    report_.profile_lost = process_is_confined(main_, profile_) ? 0 : 1;
  }
  return ended.si_pid;
}

}  // namespace codejail
