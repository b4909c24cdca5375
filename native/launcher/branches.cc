#include "launcher/branches.h"

#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/microseconds.h"
#include "core/monotonic_clock.h"
#include "core/process_memory.h"
#include "core/saturating.h"
#include "core/spec.h"
#include "launcher/process_tree.h"

namespace codejail {
namespace {

constexpr std::uint32_t kFirstHead = 1;
constexpr pid_t kInit = 1;
constexpr int kIdleSleepMs = 1000;
constexpr std::uint64_t kRetryNs = 5000000;
constexpr int kLongestSleepMs = 50;
constexpr int kShortestSleepMs = 2;
constexpr std::size_t kMostStrangers = 16;
// From when a state may clone to when it says that it has, however busy the host is.
constexpr std::uint64_t kLongestCloneNs = 5000000000;

std::uint64_t peak_bytes(int proc, pid_t process) {
  char path[32];
  char text[4096];
  (void)std::snprintf(path, sizeof(path), "%d/status", process);
  bool found = read_text(proc, path, text, sizeof(text));
  return found ? bytes_of(text, "\nVmHWM:", found) : 0;
}

bool release(const Descriptor& listener, Branch& branch, int answer) {
  branch.waits = false;
  return branch.call.complete(listener, answer);
}

}  // namespace

void Branches::begin(pid_t first) {
  table_.add(BranchRole::kState, first, kFirstHead)->is_first = true;
}

// A fork, as the state that has made it says. It has asked already, or is about to.
bool Branches::adopt(const Descriptor& listener, pid_t process, std::uint32_t head) {
  ProcessEntry entry{};
  if (table_.find(process) != nullptr || !read_process(proc_.get(), process, entry) ||
      entry.parent != kInit) {
    return true;
  }
  Branch* const place = table_.add(BranchRole::kFork, process, head);
  if (place == nullptr) {
    (void)kill(process, SIGKILL);  // ESRCH: it has ended
    return true;
  }
  const auto asked = std::find_if(
      strangers_.begin(), strangers_.end(),
      [process](const auto& each) { return static_cast<pid_t>(each.caller()) == process; });
  if (asked == strangers_.end()) {
    return true;
  }
  place->call = *asked;
  place->waits = true;
  strangers_.erase(asked);
  return give(listener, *place);
}

// Whoever asks as a fork, and is none: code of a step, which would be given another step's pipes.
bool Branches::refuse_strangers(const Descriptor& listener) {
  if (table_.is_forking()) {
    return true;
  }
  bool are_told = true;
  for (const Notification& call : strangers_) {
    are_told = call.refuse(listener, EPERM) && are_told;
  }
  strangers_.clear();
  return are_told;
}

bool Branches::give(const Descriptor& listener, Branch& branch) {
  PreparedStep* const prepared = table_.prepared_for(branch.head);
  if (prepared == nullptr) {
    return true;
  }
  const int descriptors[kStepFds] = {
      prepared->pipes[kStepOutput].get(), prepared->pipes[kStepError].get(),
      prepared->pipes[kStepRequest].get(), prepared->pipes[kStepResult].get(), domain_.get()};
  for (std::size_t i = 0; i < kStepFds; ++i) {
    if (branch.call.install(listener, descriptors[i], kFirstStepFd + static_cast<int>(i))) {
      continue;
    }
    if (errno != ENOENT && errno != ESRCH) {
      reports_.tell_unprepared(table_, *prepared, errno, Verdict::kNone);
    }
    // Else it has ended, as will be told, and the pipes wait for another fork.
    killer_.end_waiting(branch);
    return true;
  }
  branch.role = BranchRole::kReady;
  branch.idle_from_us = family_of(proc_.get(), branch.process).cpu_us;
  branch.step = prepared->step;
  *prepared = PreparedStep{};
  reports_.tell(ReportKind::kStepReady, branch, {});
  return release(listener, branch, 0);
}

bool Branches::prepare(const Descriptor& listener, const Order& order,
                       Descriptor (&passed)[kPassedStepFds]) {
  const bool is_lost = !table_.lives(order.head);
  PreparedStep* const place = is_lost ? nullptr : table_.add_prepared(order.step, order.head);
  if (place == nullptr) {
    PreparedStep refused;
    refused.step = order.step;
    refused.head = order.head;
    reports_.tell_unprepared(table_, refused, is_lost ? 0 : EAGAIN, Verdict::kNone);
    return true;
  }
  std::move(passed, passed + kPassedStepFds, place->pipes.begin());
  for (Branch& branch : table_.all()) {
    if (branch.role == BranchRole::kFork && branch.head == order.head && branch.waits) {
      return give(listener, branch);
    }
  }
  return refill(listener, order.head);
}

void Branches::run_step(const Order& order) {
  Branch* const branch = table_.step_of(order.step);
  if (branch == nullptr || branch->role != BranchRole::kReady) {
    reports_.tell_of_head(ReportKind::kStepEnded, order.head, order.step);
    return;
  }
  branch->role = BranchRole::kRunning;
  branch->verdict = Verdict::kNone;
  BranchLimits::begin(*branch, family_of(proc_.get(), branch->process), order.cpu_us);
}

bool Branches::refill(const Descriptor& listener, std::uint32_t head) {
  Branch* const state = table_.state_of(head);
  if (state == nullptr || !state->waits || state->is_forking || state->retry_ns != 0 ||
      !table_.wants_fork(head)) {
    return true;
  }
  state->is_forking = true;
  return release(listener, *state, 0);
}

bool Branches::answer(const Descriptor& listener, const Notification& call) {
  // What it does by an order comes after the order.
  ask_();
  if (call.number() == SYS_clone) {
    Branch* const state = table_.find(static_cast<pid_t>(call.caller()));
    // One each time: what has asked for more would have children that are nobody's.
    if (state == nullptr || state->role != BranchRole::kState || !state->is_forking ||
        state->cloning_ns != 0) {
      return call.refuse(listener, EPERM);
    }
    // Whatever is nobody's was there before.
    killer_.sweep();
    state->cloning_ns = monotonic_ns();
    // The flags are in a register: the kernel makes the call that was asked for.
    return call.go_on(listener);
  }
  switch (static_cast<SessionAsk>(call.argument(0))) {
    case SessionAsk::kWait:
      return wait_as_state(listener, call);
    case SessionAsk::kTake:
      return take(listener, call);
    case SessionAsk::kDone:
      return end_step(listener, call);
  }
  return call.refuse(listener, EINVAL);
}

bool Branches::wait_as_state(const Descriptor& listener, const Notification& call) {
  Branch* const state = table_.find(static_cast<pid_t>(call.caller()));
  // One that was stopped and goes on asks anew (seccomp_unotify(2)).
  const bool asks_again = state != nullptr && state->waits;
  if (state == nullptr || state->role != BranchRole::kState ||
      (asks_again && state->call.is_valid(listener))) {
    return call.refuse(listener, EINVAL);
  }
  const auto forked = static_cast<pid_t>(call.argument(1));
  const bool was_forking = std::exchange(state->is_forking, false);
  state->cloning_ns = 0;
  if (!asks_again) {
    state->idle_from_us = family_of(proc_.get(), state->process).cpu_us;
  }
  state->call = call;
  state->waits = true;
  if (std::exchange(state->is_first, false)) {
    reports_.tell_of_head(ReportKind::kHeadBegan, state->head);
  }
  if (was_forking && forked < 0) {
    state->fork_error = -forked;
    state->retry_ns = monotonic_ns() + kRetryNs;
  } else if (was_forking && forked > 0 && !adopt(listener, forked, state->head)) {
    return false;
  }
  return refuse_strangers(listener) && refill(listener, state->head);
}

bool Branches::take(const Descriptor& listener, const Notification& call) {
  Branch* const branch = table_.find(static_cast<pid_t>(call.caller()));
  if (branch == nullptr && table_.is_forking() && strangers_.size() < kMostStrangers) {
    strangers_.push_back(call);
    return true;
  }
  const bool is_next_itself =
      branch != nullptr && branch->role == BranchRole::kState && branch->stays && !branch->waits;
  if (branch == nullptr || (branch->role != BranchRole::kFork && !is_next_itself)) {
    return call.refuse(listener, EPERM);
  }
  branch->role = BranchRole::kFork;
  branch->call = call;
  branch->waits = true;
  return give(listener, *branch);
}

bool Branches::end_step(const Descriptor& listener, const Notification& call) {
  Branch* const branch = table_.find(static_cast<pid_t>(call.caller()));
  if (branch == nullptr || branch->role != BranchRole::kRunning) {
    return call.refuse(listener, EPERM);
  }
  branch->role = BranchRole::kDone;
  branch->call = call;
  branch->waits = true;
  const Family family = family_of(proc_.get(), branch->process);
  Report done{};
  BranchLimits::measure(*branch, family, done);
  done.is_branchable = family.is_alone ? 1 : 0;
  done.peak_rss_bytes = peak_bytes(proc_.get(), branch->process);
  reports_.tell(ReportKind::kStepDone, *branch, done);
  return true;
}

bool Branches::keep(const Descriptor& listener, std::uint32_t step) {
  Branch* const kept = table_.step_of(step);
  if (kept == nullptr || kept->role != BranchRole::kDone) {
    return true;
  }
  for (Branch& branch : table_.all()) {
    const bool is_before = branch.role == BranchRole::kState || branch.role == BranchRole::kFork ||
                           branch.role == BranchRole::kReady;
    if (branch.head == kept->head && &branch != kept && is_before) {
      killer_.end_waiting(branch);
    }
  }
  kept->role = BranchRole::kState;
  kept->step = 0;
  // What it has started since it was asked may be about to fork.
  const Family family = family_of(proc_.get(), kept->process);
  kept->stays = !family.is_alone;
  kept->idle_from_us = family.cpu_us;
  return release(listener, *kept,
                 static_cast<int>(kept->stays ? SessionAnswer::kStay : SessionAnswer::kFork));
}

void Branches::drop(std::uint32_t step, Verdict verdict) {
  for (PreparedStep& prepared : table_.prepared()) {
    if (prepared.step == step && step != 0) {
      reports_.tell_unprepared(table_, prepared, 0, verdict);
      return;
    }
  }
  if (Branch* const branch = table_.step_of(step); branch != nullptr) {
    killer_.end(*branch, verdict);
  }
}

void Branches::fork_head(const Order& order) {
  Branch* const branch = table_.step_of(order.step);
  if (branch == nullptr || branch->role != BranchRole::kReady) {
    reports_.tell_of_head(ReportKind::kStepEnded, order.other_head, order.step);
    return;
  }
  // The fork that waits becomes a state, and makes forks of its own.
  branch->role = BranchRole::kState;
  branch->head = order.other_head;
  branch->step = 0;
  reports_.tell_of_head(ReportKind::kHeadBegan, order.other_head, order.step);
}

bool Branches::take_end(const Descriptor& listener, pid_t process, int status,
                        const rusage& usage) {
  ask_();
  Branch* const branch = table_.find(process);
  if (branch == nullptr) {
    killer_.settle_ended();
    return true;
  }
  const std::uint32_t head = branch->head;
  if (branch->step == 0) {
    *branch = Branch{};
  } else {
    branch->wait_status = status;
    branch->peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
    branch->user_us = microseconds(usage.ru_utime);
    branch->system_us = microseconds(usage.ru_stime);
    branch->cpu_us =
        std::max(branch->cpu_us,
                 saturating_difference(branch->user_us + branch->system_us, branch->cpu_before_us));
    branch->role = BranchRole::kEnded;
    branch->cloning_ns = 0;
    branch->is_forking = false;
  }
  killer_.sweep();
  killer_.settle_ended();
  const bool is_lost = !table_.lives(head);
  if (is_lost) {
    lose(head);
  }
  return refuse_strangers(listener) && (is_lost || refill(listener, head));
}

void Branches::lose(std::uint32_t head) {
  for (PreparedStep& prepared : table_.prepared()) {
    if (prepared.step != 0 && prepared.head == head) {
      reports_.tell_unprepared(table_, prepared, 0, Verdict::kNone);
    }
  }
  reports_.tell_of_head(ReportKind::kHeadLost, head);
}

// Each look that a fork failed at before: other processes may have ended. Where none can, it fails.
bool Branches::try_again(const Descriptor& listener, Branch& state) {
  const bool may_change =
      std::any_of(table_.all().begin(), table_.all().end(), [](const Branch& each) {
        return each.role == BranchRole::kRunning || each.role == BranchRole::kDying;
      });
  state.retry_ns = 0;
  if (may_change) {
    return refill(listener, state.head);
  }
  if (PreparedStep* const prepared = table_.prepared_for(state.head); prepared != nullptr) {
    reports_.tell_unprepared(table_, *prepared, state.fork_error, Verdict::kNone);
  }
  return true;
}

int Branches::look(const Descriptor& listener) {
  const ProcessTree tree(proc_.get());
  if (killer_.are_others_in(tree)) {
    killer_.sweep();
  }
  killer_.settle_ended();
  const std::uint64_t processes = std::max<std::size_t>(1, tree.processes().size());
  int sleep_ms = table_.have(BranchRole::kEnded) ? kShortestSleepMs
                 : are_busy()                    ? kLongestSleepMs
                                                 : kIdleSleepMs;
  for (Branch& branch : table_.all()) {
    if (branch.role == BranchRole::kState && branch.retry_ns != 0) {
      if (monotonic_ns() >= branch.retry_ns && !try_again(listener, branch)) {
        return 0;
      }
      sleep_ms = std::min(sleep_ms, kShortestSleepMs);
    }
    if (branch.role == BranchRole::kState && branch.cloning_ns != 0 &&
        monotonic_ns() - branch.cloning_ns >= kLongestCloneNs) {
      // Nobody else's end can be told meanwhile.
      close_head(branch.head);
    }
    limits_.look_at(branch, tree);
    if (branch.role == BranchRole::kRunning && branch.cpu_limit_us != kUnlimited) {
      const auto bounded =
          std::min<std::uint64_t>(BranchLimits::left_ms(branch, processes), kLongestSleepMs);
      sleep_ms = std::min(sleep_ms, std::max(kShortestSleepMs, static_cast<int>(bounded)));
    }
  }
  return sleep_ms;
}

}  // namespace codejail
