#include "output/pace.h"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <initializer_list>

namespace codejail {
namespace {

// Lines that are written at once: a start's worth, then some each time that the timer goes off. A
// write costs as much as twenty lines that are held.
constexpr int kMostTokens = 64;
constexpr int kTokensOfATick = 16;
constexpr long kHeldNs = 5'000'000;
// Where the reader is behind.
constexpr long kAgainNs = 20'000'000;
constexpr int kLastMs = 100;

// Of the real-time signals, which nothing of Python's uses, not the first: programs count from
// there.
constexpr int kSignal = 62;
constexpr int kNoTimer = -1;

OutputBuffer* buffers[2];
std::atomic<int> tokens{kMostTokens};
std::atomic<bool> is_armed{false};
// Not libc's timers, whose names have moved from library to library.
int timer = kNoTimer;
std::atomic<pid_t> owner{0};

bool are_empty() {
  return buffers[0]->is_empty() && buffers[1]->is_empty();
}

bool set_timer(long nanoseconds) {
  itimerspec when{};
  when.it_value.tv_nsec = nanoseconds;
  return syscall(SYS_timer_settime, timer, 0, &when, nullptr) == 0;
}

void on_tick(int /*signal*/) {
  const int error = errno;
  is_armed = false;
  const int more = tokens + kTokensOfATick;
  tokens = more < kMostTokens ? more : kMostTokens;
  bool is_left = false;
  for (OutputBuffer* const buffer : buffers) {
    is_left = !buffer->deliver() || is_left;
  }
  if (is_left) {
    is_armed = true;
    is_armed = set_timer(kAgainNs);
  }
  errno = error;
}

bool make_timer() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = kSignal;
  int made = kNoTimer;
  if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &made) != 0) {
    return false;
  }
  timer = made;
  return true;
}

// A program may have taken every signal there is, or blocked them.
bool would_come() {
  struct sigaction current {};
  sigset_t blocked;
  return sigaction(kSignal, nullptr, &current) == 0 && current.sa_handler == on_tick &&
         sigprocmask(SIG_SETMASK, nullptr, &blocked) == 0 && sigismember(&blocked, kSignal) == 0;
}

bool arm() {
  if (is_armed) {
    return true;
  }
  if (!would_come() || (timer == kNoTimer && !make_timer())) {
    return false;
  }
  is_armed = true;
  is_armed = set_timer(kHeldNs);
  return is_armed;
}

// What ends a process at once, where the program does not see to it: what it has printed before
// comes first.
void on_fault(int number, siginfo_t* info, void* /*context*/) {
  Pace::deliver_last();
  (void)signal(number, SIG_DFL);
  // A fault comes again by itself, now for good; a signal that was sent does not.
  if (info->si_code <= 0) {
    (void)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
  }
}

void take_signals() {
  struct sigaction action {};
  action.sa_handler = on_tick;
  action.sa_flags = SA_RESTART;
  (void)sigaction(kSignal, &action, nullptr);  // else it is known by `would_come`
  struct sigaction fault {};
  fault.sa_sigaction = on_fault;
  fault.sa_flags = SA_SIGINFO;
  for (const int number : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    struct sigaction before {};
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
      (void)sigaction(number, &fault, nullptr);  // as if it were not there
    }
  }
}

void before_fork() {
  for (OutputBuffer* const buffer : buffers) {
    buffer->lock_for_fork();
  }
}

void after_fork_in_parent() {
  for (OutputBuffer* const buffer : buffers) {
    buffer->unlock_in_parent();
  }
}

void after_fork_in_child() {
  for (OutputBuffer* const buffer : buffers) {
    buffer->empty_in_child();
  }
  Pace::renew();
}

}  // namespace

void Pace::begin(OutputBuffer* first, OutputBuffer* second) {
  buffers[0] = first;
  buffers[1] = second;
  owner = getpid();
  (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);  // ENOMEM only
  take_signals();
}

void Pace::end_line(OutputBuffer& buffer) {
  if (tokens > 0) {
    --tokens;
    buffer.write_now();
    rest();
  } else {
    go_on(buffer);
  }
}

void Pace::go_on(OutputBuffer& buffer) {
  if (!arm()) {
    buffer.write_now();
  }
}

void Pace::rest() {
  if (is_armed && are_empty()) {
    is_armed = false;
    (void)set_timer(0);  // else it goes off once, for nothing
  }
}

void Pace::renew() {
  timer = kNoTimer;
  is_armed = false;
  tokens = kMostTokens;
  owner = getpid();
}

void Pace::deliver_last() {
  if (buffers[0] == nullptr || are_empty() || owner != getpid()) {
    return;
  }
  for (OutputBuffer* const buffer : buffers) {
    buffer->deliver_last(kLastMs);
  }
}

}  // namespace codejail
