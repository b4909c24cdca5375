#include "launcher/branch_limits.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "core/saturating.h"
#include "core/spec.h"

namespace codejail {
namespace {

constexpr std::uint64_t kGraceUs = 1000000;
// Between two steps, whatever the limit is.
constexpr std::uint64_t kLeastIdleUs = 1000000;

}  // namespace

void BranchLimits::bound_idle_cpu(std::uint64_t limit_us, std::function<void()> on_over) {
  idle_limit_us_ = limit_us;
  on_idle_ = std::move(on_over);
}

void BranchLimits::begin(Branch& branch, const Family& family, std::uint64_t limit_us) {
  branch.cpu_us = 0;
  branch.cpu_limit_us = limit_us;
  branch.cpu_before_us = family.cpu_us;
  branch.user_ticks = family.user_ticks;
  branch.system_ticks = family.system_ticks;
}

void BranchLimits::measure(Branch& branch, const Family& family, Report& report) {
  branch.cpu_us =
      std::max(branch.cpu_us, saturating_difference(family.cpu_us, branch.cpu_before_us));
  const std::uint64_t user = saturating_difference(family.user_ticks, branch.user_ticks);
  const std::uint64_t system = saturating_difference(family.system_ticks, branch.system_ticks);
  report.user_us = user + system == 0 ? branch.cpu_us : branch.cpu_us * user / (user + system);
  report.system_us = branch.cpu_us - report.user_us;
}

void BranchLimits::look_at(Branch& branch, const ProcessTree& tree) {
  switch (branch.role) {
    case BranchRole::kState:
    case BranchRole::kFork:
    case BranchRole::kReady:
      look_at_idle(branch, tree);
      break;
    case BranchRole::kRunning:
      look_at_step(branch, tree);
      break;
    case BranchRole::kNone:
    case BranchRole::kDone:
    case BranchRole::kDying:
    case BranchRole::kEnded:
      break;
  }
}

std::uint64_t BranchLimits::left_ms(const Branch& branch, std::uint64_t processes) {
  return saturating_difference(branch.cpu_limit_us, branch.cpu_us) / 1000U / processes;
}

void BranchLimits::look_at_idle(Branch& branch, const ProcessTree& tree) {
  const std::uint64_t used =
      saturating_difference(tree.family_of(branch.process).cpu_us, branch.idle_from_us);
  if (used >= std::max(idle_limit_us_, kLeastIdleUs)) {
    on_idle_();
    // Each fork of that state would do the same.
    killer_.end_head(branch.head);
  }
}

void BranchLimits::look_at_step(Branch& branch, const ProcessTree& tree) {
  Report unused{};
  measure(branch, tree.family_of(branch.process), unused);
  if (branch.cpu_limit_us == kUnlimited || branch.cpu_us < branch.cpu_limit_us) {
    return;
  }
  // As the kernel does: a second of CPU after SIGXCPU comes SIGKILL (setrlimit(2)).
  if (branch.cpu_us - branch.cpu_limit_us >= kGraceUs) {
    killer_.end(branch, Verdict::kCpu);
    return;
  }
  if (branch.verdict != Verdict::kNone) {
    return;
  }
  branch.verdict = Verdict::kCpu;
  for (const ProcessEntry& entry : tree.processes()) {
    if (tree.root_of(entry.number) == branch.process) {
      (void)kill(entry.number, SIGXCPU);  // ESRCH: it has ended
    }
  }
}

}  // namespace codejail
