#include "launcher/tree_killer.h"

#include <signal.h>

#include <algorithm>
#include <vector>

#include "launcher/process_tree.h"

namespace codejail {
namespace {

constexpr int kRounds = 64;

// What is leaderless has been told before the second round.
bool is_still(const ProcessEntry& entry, int round) {
  return entry.is_stopped || (entry.is_leaderless && round > 1);
}

}  // namespace

void kill_trees(int proc, const std::function<bool(pid_t root)>& is_to_go) {
  for (int round = 1; round <= kRounds; ++round) {
    const ProcessTree tree(proc);
    std::vector<ProcessEntry> targets;
    for (const ProcessEntry& entry : tree.processes()) {
      if (!entry.is_dead && is_to_go(tree.root_of(entry.number))) {
        targets.push_back(entry);
      }
    }
    const bool are_still = targets.size() <= 1 ||
                           std::all_of(targets.begin(), targets.end(),
                                       [round](const auto& each) { return is_still(each, round); });
    const int signal = are_still || round == kRounds ? SIGKILL : SIGSTOP;
    for (const ProcessEntry& target : targets) {
      (void)kill(target.number, signal);  // ESRCH: it has ended
    }
    if (signal == SIGKILL) {
      return;
    }
  }
}

}  // namespace codejail
