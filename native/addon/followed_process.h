// A process of whose end the event loop tells.
#pragma once

#include <utility>

#include "addon/watch.h"
#include "core/descriptor.h"

namespace codejail {

class FollowedProcess {
 public:
  // `on_end` is called when it is dead, and may be called before.
  void follow(Poller& poller, Descriptor pidfd, bool holds_loop, Watch::OnEvent on_end);
  // Without being told: there is no event loop any more.
  void adopt(Descriptor pidfd) { pidfd_ = std::move(pidfd); }
  [[nodiscard]] const Descriptor& pidfd() const { return pidfd_; }
  [[nodiscard]] bool is_known() const { return pidfd_.valid(); }
  // Of one that is known: it has not been seen dead.
  [[nodiscard]] bool lives() const { return is_known() && !has_ended_; }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  // Looks whether it is dead by now: it then is reaped, and `status` set (addon/pidfd.h).
  void look(int& status);
  void kill() const;
  void hold_loop(bool held) { watch_.hold_loop(held); }
  void stop() { watch_.stop(); }
  // No process is known.
  void forget();

 private:
  Descriptor pidfd_;
  Watch watch_;
  bool has_ended_ = false;
};

}  // namespace codejail
