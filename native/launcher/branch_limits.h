// The CPU of a session's steps, and of what runs between them.
#pragma once

#include <cstdint>
#include <functional>

#include "core/report.h"
#include "launcher/branch_killer.h"
#include "launcher/branch_table.h"
#include "launcher/process_tree.h"

namespace codejail {

class BranchLimits {
 public:
  // Outlives this.
  explicit BranchLimits(BranchKiller& killer) : killer_(killer) {}

  // What runs between two steps is in no step's CPU: threads that a kept one has left, or whatever
  // its code has made of the process that should wait. It may use as much as a step, else it is
  // told, and ended.
  void bound_idle_cpu(std::uint64_t limit_us, std::function<void()> on_over);

  // From now on it uses the CPU of a step that may use so much.
  static void begin(Branch& branch, const Family& family, std::uint64_t limit_us);
  // What it has used, by the clock; of which halves, by ticks.
  static void measure(Branch& branch, const Family& family, Report& report);
  // Ends what is over its limit.
  void look_at(Branch& branch, const ProcessTree& tree);
  // When a step may be over its limit at the earliest, in milliseconds.
  static std::uint64_t left_ms(const Branch& branch, std::uint64_t processes);

 private:
  void look_at_idle(Branch& branch, const ProcessTree& tree);
  void look_at_step(Branch& branch, const ProcessTree& tree);

  BranchKiller& killer_;
  std::function<void()> on_idle_;
  std::uint64_t idle_limit_us_ = 0;
};

}  // namespace codejail
