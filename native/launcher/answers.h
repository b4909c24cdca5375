// The system calls that the filter puts to PID 1 (seccomp_unotify(2)), and how they are answered.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

#include "core/descriptor.h"
#include "core/launcher_key.h"
#include "core/report_channel.h"
#include "core/spec.h"
#include "launcher/attempts.h"
#include "launcher/counted_calls.h"
#include "launcher/notification.h"

namespace codejail {

class Answers {
 public:
  // `listener`: of the program's filter, where it asks.
  Answers(const Spec& spec, CountedCalls& counted, Descriptor listener)
      : spec_(spec), counted_(counted), listener_(std::move(listener)) {}

  // Tells from now on what the program tries in vain.
  void explain(const ReportChannel& channel, const LauncherKey& key);
  // The next exec of this process is the program's own start, which goes on when `on_start` has
  // been called; whatever follows is another program.
  void expect_start(pid_t program, std::function<void()> on_start);
  // Of a cell: the listener comes over this socket. Where none does, the kernel answers what is
  // asked: ENOSYS.
  void receive_listener(const Descriptor& socket);

  [[nodiscard]] const Descriptor& listener() const { return listener_; }
  // Told what the processes of a session ask (core/session.h), and what signals they send.
  using OnSessionCall = std::function<bool(const Notification&)>;
  void set_on_session_call(OnSessionCall on_call) { on_session_call_ = std::move(on_call); }

  // For poll(2): -1 where nobody can ask.
  [[nodiscard]] int polled() const { return has_askers_ ? listener_.get() : -1; }
  // What poll(2) has said of it. False with errno where the caller could not be told: it would wait
  // for ever.
  [[nodiscard]] bool answer(short events);

 private:
  [[nodiscard]] bool answer_told(const Notification& call);
  [[nodiscard]] bool answer_session(const Notification& call);
  [[nodiscard]] bool answer_exec(const Notification& call);

  const Spec& spec_;
  CountedCalls& counted_;
  Descriptor listener_;
  bool has_askers_ = true;
  std::unique_ptr<Attempts> attempts_;  // of an explained call
  pid_t starting_ = -1;                 // the program, until its start
  std::function<void()> on_start_;
  OnSessionCall on_session_call_;
};

// Ends the jail where somebody could not be answered (errno), who would wait for ever.
void require_answer(const ReportChannel& channel, bool is_answered);

}  // namespace codejail
