// What PID 1 tells the server of a session's steps and heads.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "core/report.h"
#include "core/report_channel.h"
#include "launcher/branch_table.h"

namespace codejail {

class StepReports {
 public:
  // `channel` outlives this.
  explicit StepReports(const ReportChannel& channel) : channel_(channel) {}

  // Completes what a report says of the jail's disk.
  void set_on_report(std::function<void(Report&)> on_report) { on_report_ = std::move(on_report); }

  // Does not return where the server is gone.
  void tell(ReportKind kind, const Branch& branch, Report more = {}) const;
  // Of what has no process.
  void tell_of_head(ReportKind kind, std::uint32_t head, std::uint32_t step = 0) const;
  // Of a step that never had one, whose pipes are given up: with an error's number, or 0.
  void tell_unprepared(BranchTable& table, PreparedStep& prepared, int error,
                       Verdict verdict) const;

 private:
  const ReportChannel& channel_;
  std::function<void(Report&)> on_report_;
};

}  // namespace codejail
