// What processes of a session may do to one another: those of one step reach each other, and nobody
// else. kill(-1) would end the state that the step is a fork of, and all other steps; so would a
// signal to the process group, which all have in common. The state's limits and priority are those
// of each step after it.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/descriptor.h"
#include "launcher/notification.h"

namespace codejail {

class StepSignals {
 public:
  // `proc`, of the session's PID namespace, outlives it.
  explicit StepSignals(const Descriptor& proc) : proc_(proc) {}

  // Answers kill and its kin, and what sets limits and priorities of others
  // (core/seccomp_rules.cc, ask_for_sessions and protect_others). False with errno where the
  // caller could not be told.
  [[nodiscard]] bool answer(const Descriptor& listener, const Notification& call) const;

 private:
  // Lets the call be made where both are of one step.
  [[nodiscard]] bool reach(const Descriptor& listener, const Notification& call,
                           std::uint32_t target) const;
  [[nodiscard]] bool signal_many(const Descriptor& listener, const Notification& call) const;
  [[nodiscard]] bool signal_by_pidfd(const Descriptor& listener, const Notification& call) const;
  [[nodiscard]] pid_t target_of_pidfd(const Notification& call) const;

  const Descriptor& proc_;
};

}  // namespace codejail
