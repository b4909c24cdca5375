#include "launcher/step_reports.h"

#include <unistd.h>

namespace codejail {

void StepReports::tell(ReportKind kind, const Branch& branch, Report more) const {
  more.kind = kind;
  more.head = branch.head;
  more.session_step = branch.step;
  more.verdict = branch.verdict;
  more.cpu_us = branch.cpu_us;
  if (kind == ReportKind::kStepDone || kind == ReportKind::kStepEnded) {
    on_report_(more);
  }
  if (!channel_.send(more)) {
    // The server is gone. The end of PID 1 is the end of the jail (pid_namespaces(7)).
    _exit(2);
  }
}

void StepReports::tell_of_head(ReportKind kind, std::uint32_t head, std::uint32_t step) const {
  Branch none{};
  none.head = head;
  none.step = step;
  tell(kind, none);
}

void StepReports::tell_unprepared(BranchTable& table, PreparedStep& prepared, int error,
                                  Verdict verdict) const {
  Branch none{};
  none.head = prepared.head;
  none.step = prepared.step;
  none.verdict = verdict;
  Report report{};
  report.error = error;
  report.is_branchable = table.state_of(prepared.head) == nullptr ? 0 : 1;
  prepared = PreparedStep{};
  tell(ReportKind::kStepEnded, none, report);
}

}  // namespace codejail
