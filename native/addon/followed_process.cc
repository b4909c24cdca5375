#include "addon/followed_process.h"

#include <signal.h>

#include "addon/pidfd.h"
#include "core/syscalls.h"

namespace codejail {

void FollowedProcess::follow(Poller& poller, Descriptor pidfd, bool holds_loop,
                             Watch::OnEvent on_end) {
  forget();
  pidfd_ = std::move(pidfd);
  watch_.start(poller, pidfd_.get(), Poller::kReadable, std::move(on_end));
  watch_.hold_loop(holds_loop);
}

void FollowedProcess::look(int& status) {
  if (!has_ended_ && reap(pidfd_, status)) {
    has_ended_ = true;
    watch_.stop();
  }
}

void FollowedProcess::kill() const {
  if (pidfd_.valid()) {
    (void)sys_pidfd_send_signal(pidfd_.get(), SIGKILL);  // ESRCH: it has ended
  }
}

void FollowedProcess::forget() {
  watch_.stop();
  pidfd_.reset();
  has_ended_ = false;
}

}  // namespace codejail
