// Signals between the processes of a session: those of one step reach each other, and nobody else.
// kill(-1) would end the state that the step is a fork of, and all other steps; so would a signal
// to the process group, which all have in common.
#pragma once

#include "core/descriptor.h"
#include "launcher/notification.h"

namespace codejail {

class StepSignals {
 public:
  // `proc`, of the session's PID namespace, outlives it.
  explicit StepSignals(const Descriptor& proc) : proc_(proc) {}

  // Answers kill and its kin (core/seccomp_rules.cc, ask_for_sessions). False with errno where the
  // caller could not be told.
  [[nodiscard]] bool answer(const Descriptor& listener, const Notification& call) const;

 private:
  [[nodiscard]] bool signal_many(const Descriptor& listener, const Notification& call) const;
  [[nodiscard]] bool signal_by_pidfd(const Descriptor& listener, const Notification& call) const;
  [[nodiscard]] pid_t target_of_pidfd(const Notification& call) const;

  const Descriptor& proc_;
};

}  // namespace codejail
