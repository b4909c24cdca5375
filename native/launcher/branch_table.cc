#include "launcher/branch_table.h"

#include <algorithm>

namespace codejail {

Branch* BranchTable::add(BranchRole role, pid_t process, std::uint32_t head) {
  const auto place = std::find_if(branches_.begin(), branches_.end(), [](const Branch& each) {
    return each.role == BranchRole::kNone;
  });
  if (place == branches_.end()) {
    return nullptr;
  }
  *place = Branch{};
  place->role = role;
  place->process = process;
  place->head = head;
  return &*place;
}

PreparedStep* BranchTable::add_prepared(std::uint32_t step, std::uint32_t head) {
  const auto place = std::find_if(prepared_.begin(), prepared_.end(),
                                  [](const PreparedStep& each) { return each.step == 0; });
  if (place == prepared_.end()) {
    return nullptr;
  }
  place->step = step;
  place->head = head;
  return &*place;
}

Branch* BranchTable::find(pid_t process) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [process](const auto& each) {
    return each.role != BranchRole::kNone && each.role != BranchRole::kEnded &&
           each.process == process;
  });
  return found == branches_.end() ? nullptr : &*found;
}

Branch* BranchTable::state_of(std::uint32_t head) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [head](const auto& each) {
    return each.role == BranchRole::kState && each.head == head;
  });
  return found == branches_.end() ? nullptr : &*found;
}

Branch* BranchTable::step_of(std::uint32_t step) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [step](const auto& each) {
    const bool is_step = each.role == BranchRole::kReady || each.role == BranchRole::kRunning ||
                         each.role == BranchRole::kDone;
    return is_step && each.step == step;
  });
  return found == branches_.end() ? nullptr : &*found;
}

PreparedStep* BranchTable::prepared_for(std::uint32_t head) {
  const auto found = std::find_if(prepared_.begin(), prepared_.end(), [head](const auto& each) {
    return each.step != 0 && each.head == head;
  });
  return found == prepared_.end() ? nullptr : &*found;
}

bool BranchTable::have(BranchRole role) const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [role](const Branch& each) { return each.role == role; });
}

bool BranchTable::is_empty() const {
  return std::all_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.role == BranchRole::kNone; });
}

bool BranchTable::is_busy() const {
  return std::any_of(branches_.begin(), branches_.end(), [](const Branch& each) {
    return each.role == BranchRole::kRunning || each.role == BranchRole::kDying ||
           each.role == BranchRole::kEnded || each.role == BranchRole::kFork || each.is_forking ||
           each.stays || each.retry_ns != 0 || (each.role == BranchRole::kState && !each.waits);
  });
}

bool BranchTable::is_forking() const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.is_forking; });
}

bool BranchTable::is_cloning() const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.cloning_ns != 0; });
}

bool BranchTable::is_known_root(pid_t process) const {
  return std::any_of(branches_.begin(), branches_.end(), [process](const Branch& each) {
    return each.is_alive() && each.process == process;
  });
}

bool BranchTable::lives(std::uint32_t head) const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [head](const Branch& each) { return each.is_alive() && each.head == head; });
}

bool BranchTable::wants_fork(std::uint32_t head) const {
  const auto pipes = std::count_if(
      prepared_.begin(), prepared_.end(),
      [head](const PreparedStep& each) { return each.step != 0 && each.head == head; });
  const auto forks = std::count_if(branches_.begin(), branches_.end(), [head](const Branch& each) {
    return each.role == BranchRole::kFork && each.head == head;
  });
  return pipes > forks;
}

}  // namespace codejail
