#include "cell/filter_messenger.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <climits>
#include <cstddef>

#include "core/descriptor_message.h"
#include "core/seccomp.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr pid_t kInit = 1;
constexpr std::size_t kStackBytes = 8192;

// The filter lets no descriptor be passed on, its own listener included: so a second thread does
// that, which was there before and is under no filter. It runs nothing but `deliver`, and has ended
// before this process goes on.
class Messenger {
 public:
  explicit Messenger(int link) : link_(link) {}
  Messenger(const Messenger&) = delete;
  Messenger& operator=(const Messenger&) = delete;
  ~Messenger() { send_off(kNothing); }

  bool start() {
    // No handler of the program's modules may run on that stack.
    sigset_t all;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before_) != 0) {
      return false;
    }
    constexpr int kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                           CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
    is_there_.store(1, std::memory_order_relaxed);
    is_started_ =
        clone(deliver, stack_ + kStackBytes, kFlags, this, nullptr, nullptr, &is_there_) >= 0;
    if (!is_started_) {
      (void)sigprocmask(SIG_SETMASK, &before_, nullptr);
    }
    return is_started_;
  }

  // With a descriptor or without one; returns when it has ended.
  void send_off(int parcel) {
    if (!is_started_) {
      return;
    }
    is_started_ = false;
    parcel_.store(parcel, std::memory_order_release);
    (void)syscall(SYS_futex, &parcel_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
    int still = 0;
    while ((still = is_there_.load(std::memory_order_acquire)) != 0) {
      // Not a private one: the kernel wakes it up (set_tid_address(2)).
      (void)syscall(SYS_futex, &is_there_, FUTEX_WAIT, still, nullptr, nullptr, 0);
    }
    (void)sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  static constexpr int kNothing = -1;

 private:
  static constexpr int kNotYet = -2;

  // What libc calls errno belongs to both threads: it is not looked at.
  static int deliver(void* data) {
    auto* const self = static_cast<Messenger*>(data);
    int parcel = kNotYet;
    while ((parcel = self->parcel_.load(std::memory_order_acquire)) == kNotYet) {
      (void)syscall(SYS_futex, &self->parcel_, FUTEX_WAIT_PRIVATE, kNotYet, nullptr, nullptr, 0);
    }
    // As an ordinary user's, others' descriptors may be on their way, more than this process may
    // have (unix(7), ETOOMANYREFS). Without it the calls are answered ENOSYS.
    constexpr int kAttempts = 2000;
    constexpr timespec kPause{0, 1000000};
    for (int i = 0; parcel >= 0 && i < kAttempts; ++i) {
      if (send_descriptors(self->link_, &parcel, 1)) {
        break;
      }
      (void)nanosleep(&kPause, nullptr);
    }
    (void)syscall(SYS_exit, 0);
    __builtin_unreachable();
  }

  int link_;
  bool is_started_ = false;
  sigset_t before_{};
  std::atomic<int> parcel_{kNotYet};
  std::atomic<int> is_there_{0};
  alignas(16) char stack_[kStackBytes];
};

}  // namespace

Status install_cell_filter(const Spec& spec, const Descriptor& link) {
  Messenger messenger(link.get());
  Descriptor listener;
  if (link.valid()) {
    // Not the filter that refuses instead: a right program would be told that there is no more.
    if (!messenger.start()) {
      return Status::failure(Step::kSeccomp, errno, "clone");
    }
    const Status asking =
        install_seccomp_filter({ExecPolicy::kDeny, CountPolicy::kAsk, kInit}, spec, listener);
    if (asking.ok()) {
      messenger.send_off(listener.get());
    }
    if (asking.ok() || asking.error() != EBUSY) {
      return asking;
    }
  }
  return install_seccomp_filter({ExecPolicy::kDeny, CountPolicy::kRefuse, kInit}, spec, listener);
}

}  // namespace codejail
