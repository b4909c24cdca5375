// Ends processes of a session, with all that they have left.
#pragma once

#include <cstdint>

#include "core/descriptor.h"
#include "core/report.h"
#include "launcher/branch_table.h"
#include "launcher/process_tree.h"
#include "launcher/step_reports.h"

namespace codejail {

class BranchKiller {
 public:
  // All outlive this. `proc`: of the session's PID namespace.
  BranchKiller(BranchTable& table, const StepReports& reports, const Descriptor& proc)
      : table_(table), reports_(reports), proc_(proc) {}

  void end(Branch& branch, Verdict verdict);
  // One that has run nothing since it was forked, or was kept alone: nothing descends from it.
  static void end_waiting(Branch& branch);
  void end_head(std::uint32_t head);
  // Ends the step that has most memory; false where none runs, and none is about to end.
  [[nodiscard]] bool end_largest();
  // Ends whatever is a child of PID 1 and nobody's: what a step that is over has left, or has made
  // to outlive it.
  void sweep();
  // Whether anything is there that is nobody's: also what is dead, and not waited for yet.
  [[nodiscard]] bool are_others_in(const ProcessTree& tree) const;
  // Tells of the steps that have ended, when what they have left is gone too.
  void settle_ended();

 private:
  BranchTable& table_;
  const StepReports& reports_;
  const Descriptor& proc_;
};

}  // namespace codejail
