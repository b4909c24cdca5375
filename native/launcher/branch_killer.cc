#include "launcher/branch_killer.h"

#include <signal.h>

#include <algorithm>

#include "core/process_memory.h"
#include "launcher/tree_killer.h"

namespace codejail {
void BranchKiller::end(Branch& branch, Verdict verdict) {
  if (branch.verdict == Verdict::kNone) {
    branch.verdict = verdict;
  }
  branch.role = BranchRole::kDying;
  const pid_t process = branch.process;
  kill_trees(proc_.get(), [process](pid_t root) { return root == process; });
}

void BranchKiller::end_waiting(Branch& branch) {
  branch.role = BranchRole::kDying;
  branch.step = 0;
  branch.is_forking = false;
  branch.cloning_ns = 0;
  branch.stays = false;
  (void)kill(branch.process, SIGKILL);  // ESRCH: it has ended
}

void BranchKiller::end_head(std::uint32_t head) {
  for (Branch& branch : table_.all()) {
    if (branch.head != head || !branch.is_alive()) {
      continue;
    }
    if (branch.role == BranchRole::kRunning || branch.role == BranchRole::kDone || branch.stays) {
      end(branch, Verdict::kStopped);
    } else {
      end_waiting(branch);
    }
  }
}

bool BranchKiller::end_largest() {
  Branch* largest = nullptr;
  std::uint64_t most = 0;
  bool is_ending = false;
  const ProcessTree tree(proc_.get());
  for (Branch& branch : table_.all()) {
    is_ending = is_ending || branch.role == BranchRole::kEnded ||
                (branch.role == BranchRole::kDying && branch.step != 0);
    if (branch.role != BranchRole::kRunning && branch.role != BranchRole::kDone) {
      continue;
    }
    std::uint64_t bytes = 0;
    for (const ProcessEntry& entry : tree.processes()) {
      if (tree.root_of(entry.number) == branch.process) {
        bytes += memory_of(proc_.get(), entry.number).resident_bytes;
      }
    }
    if (largest == nullptr || bytes > most) {
      largest = &branch;
      most = bytes;
    }
  }
  // What is dying gives its memory back first: another one may be within the limit then.
  if (!is_ending && largest != nullptr) {
    end(*largest, Verdict::kMemory);
  }
  return is_ending || largest != nullptr;
}

void BranchKiller::sweep() {
  if (!table_.is_cloning()) {
    kill_trees(proc_.get(), [this](pid_t root) { return root > 0 && !table_.is_known_root(root); });
  }
}

bool BranchKiller::are_others_in(const ProcessTree& tree) const {
  return std::any_of(tree.processes().begin(), tree.processes().end(), [&](const auto& entry) {
    const pid_t root = tree.root_of(entry.number);
    return root > 0 && !table_.is_known_root(root);
  });
}

void BranchKiller::settle_ended() {
  if (!table_.have(BranchRole::kEnded) || table_.is_cloning() ||
      are_others_in(ProcessTree(proc_.get()))) {
    return;
  }
  for (Branch& branch : table_.all()) {
    if (branch.role != BranchRole::kEnded) {
      continue;
    }
    Report ended{};
    ended.wait_status = branch.wait_status;
    ended.peak_rss_bytes = branch.peak_rss_bytes;
    ended.user_us = branch.user_us;
    ended.system_us = branch.system_us;
    ended.is_branchable = table_.lives(branch.head) ? 1 : 0;
    reports_.tell(ReportKind::kStepEnded, branch, ended);
    branch = Branch{};
  }
}

}  // namespace codejail
