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
#include "launcher/tree_killer.h"

namespace codejail {
namespace {

constexpr std::uint32_t kFirstHead = 1;
constexpr pid_t kInit = 1;
constexpr std::uint64_t kMillisecond = 1000000;
constexpr std::uint64_t kGraceUs = 1000000;
// Between two steps, whatever the limit is.
constexpr std::uint64_t kLeastIdleUs = 1000000;
constexpr int kIdleSleepMs = 1000;
constexpr std::uint64_t kRetryNs = 5 * kMillisecond;
constexpr int kLongestSleepMs = 50;
constexpr int kShortestSleepMs = 2;
constexpr std::size_t kMostStrangers = 16;

std::uint64_t status_bytes(int proc, pid_t process, const char* line) {
  char path[32];
  char text[4096];
  (void)std::snprintf(path, sizeof(path), "%d/status", process);
  bool found = read_text(proc, path, text, sizeof(text));
  return found ? bytes_of(text, line, found) : 0;
}

}  // namespace

void Branches::begin(pid_t first) {
  branches_[0] = Branch{};
  branches_[0].role = Role::kState;
  branches_[0].process = first;
  branches_[0].head = kFirstHead;
  branches_[0].is_first = true;
}

bool Branches::have(Role role) const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [role](const Branch& each) { return each.role == role; });
}

bool Branches::are_over() const {
  return std::all_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.role == Role::kNone; });
}

bool Branches::are_busy() const {
  return std::any_of(branches_.begin(), branches_.end(), [](const Branch& each) {
    return each.role == Role::kRunning || each.role == Role::kDying || each.role == Role::kEnded ||
           each.role == Role::kFork || each.is_forking || each.stays || each.retry_ns != 0 ||
           (each.role == Role::kState && !each.waits);
  });
}

Branches::Branch* Branches::find(pid_t process) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [process](const auto& each) {
    return each.role != Role::kNone && each.role != Role::kEnded && each.process == process;
  });
  return found == branches_.end() ? nullptr : &*found;
}

Branches::Branch* Branches::state_of(std::uint32_t head) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [head](const auto& each) {
    return each.role == Role::kState && each.head == head;
  });
  return found == branches_.end() ? nullptr : &*found;
}

Branches::Branch* Branches::step_of(std::uint32_t step) {
  const auto found = std::find_if(branches_.begin(), branches_.end(), [step](const auto& each) {
    const bool is_step =
        each.role == Role::kReady || each.role == Role::kRunning || each.role == Role::kDone;
    return is_step && each.step == step;
  });
  return found == branches_.end() ? nullptr : &*found;
}

Branches::Prepared* Branches::prepared_for(std::uint32_t head) {
  const auto found = std::find_if(prepared_.begin(), prepared_.end(), [head](const auto& each) {
    return each.step != 0 && each.head == head;
  });
  return found == prepared_.end() ? nullptr : &*found;
}

// Then there may be a child of PID 1 that is not known yet, and somebody's.
bool Branches::is_cloning() const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.is_cloning; });
}

bool Branches::is_forking() const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [](const Branch& each) { return each.is_forking; });
}

bool Branches::is_known_root(pid_t process) const {
  return std::any_of(branches_.begin(), branches_.end(), [process](const Branch& each) {
    return each.role != Role::kNone && each.role != Role::kDying && each.role != Role::kEnded &&
           each.process == process;
  });
}

bool Branches::release(const Descriptor& listener, Branch& branch, int answer) {
  branch.waits = false;
  return branch.call.complete(listener, answer);
}

// A fork, as the state that has made it says. It has asked already, or is about to.
bool Branches::adopt(const Descriptor& listener, pid_t process, std::uint32_t head) {
  ProcessEntry entry{};
  if (find(process) != nullptr || !read_process(proc_.get(), process, entry) ||
      entry.parent != kInit) {
    return true;
  }
  const auto place = std::find_if(branches_.begin(), branches_.end(),
                                  [](const Branch& each) { return each.role == Role::kNone; });
  if (place == branches_.end()) {
    (void)kill(process, SIGKILL);  // ESRCH: it has ended
    return true;
  }
  *place = Branch{};
  place->role = Role::kFork;
  place->process = process;
  place->head = head;
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
  if (is_forking()) {
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
  Prepared* const prepared = prepared_for(branch.head);
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
      tell_unprepared(*prepared, errno, Verdict::kNone);
    }
    // Else it has ended, as will be told, and the pipes wait for another fork.
    end_waiting(branch);
    return true;
  }
  branch.role = Role::kReady;
  branch.idle_from_us = family_of(proc_.get(), branch.process).cpu_us;
  branch.step = prepared->step;
  *prepared = Prepared{};
  tell(ReportKind::kStepReady, branch, {});
  return release(listener, branch, 0);
}

bool Branches::prepare(const Descriptor& listener, const Order& order,
                       Descriptor (&passed)[kPassedStepFds]) {
  const auto place = std::find_if(prepared_.begin(), prepared_.end(),
                                  [](const Prepared& each) { return each.step == 0; });
  const bool is_lost =
      std::none_of(branches_.begin(), branches_.end(), [&order](const Branch& each) {
        return each.head == order.head && each.role != Role::kNone && each.role != Role::kDying &&
               each.role != Role::kEnded;
      });
  if (place == prepared_.end() || is_lost) {
    Prepared refused;
    refused.step = order.step;
    refused.head = order.head;
    tell_unprepared(refused, is_lost ? 0 : EAGAIN, Verdict::kNone);
    return true;
  }
  place->step = order.step;
  place->head = order.head;
  std::move(passed, passed + kPassedStepFds, place->pipes.begin());
  for (Branch& branch : branches_) {
    if (branch.role == Role::kFork && branch.head == order.head && branch.waits) {
      return give(listener, branch);
    }
  }
  return refill(listener, order.head);
}

void Branches::run_step(const Order& order) {
  Branch* const branch = step_of(order.step);
  if (branch == nullptr || branch->role != Role::kReady) {
    Branch none{};
    none.head = order.head;
    none.step = order.step;
    tell(ReportKind::kStepEnded, none, {});
    return;
  }
  const Family family = family_of(proc_.get(), branch->process);
  branch->role = Role::kRunning;
  branch->verdict = Verdict::kNone;
  branch->cpu_us = 0;
  branch->cpu_limit_us = order.cpu_us;
  branch->cpu_before_us = family.cpu_us;
  branch->user_ticks = family.user_ticks;
  branch->system_ticks = family.system_ticks;
  branch->begun_ns = monotonic_ns();
}

// As many forks as there are pipes for: those that are on their way will ask for theirs.
bool Branches::wants_fork(std::uint32_t head) const {
  const auto pipes =
      std::count_if(prepared_.begin(), prepared_.end(),
                    [head](const Prepared& each) { return each.step != 0 && each.head == head; });
  const auto forks = std::count_if(branches_.begin(), branches_.end(), [head](const Branch& each) {
    return each.role == Role::kFork && each.head == head;
  });
  return pipes > forks;
}

bool Branches::refill(const Descriptor& listener, std::uint32_t head) {
  Branch* const state = state_of(head);
  if (state == nullptr || !state->waits || state->is_forking || state->retry_ns != 0 ||
      !wants_fork(head)) {
    return true;
  }
  state->is_forking = true;
  return release(listener, *state, 0);
}

bool Branches::answer(const Descriptor& listener, const Notification& call) {
  // What it does by an order comes after the order.
  ask_();
  if (call.number() == SYS_clone) {
    Branch* const state = find(static_cast<pid_t>(call.caller()));
    if (state == nullptr || state->role != Role::kState || !state->is_forking) {
      return call.refuse(listener, EPERM);
    }
    // Whatever is nobody's was there before.
    sweep();
    state->is_cloning = true;
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
  Branch* const state = find(static_cast<pid_t>(call.caller()));
  if (state == nullptr || state->role != Role::kState || state->waits) {
    return call.refuse(listener, EINVAL);
  }
  const auto forked = static_cast<pid_t>(call.argument(1));
  const bool was_forking = std::exchange(state->is_forking, false);
  state->is_cloning = false;
  state->idle_from_us = family_of(proc_.get(), state->process).cpu_us;
  state->call = call;
  state->waits = true;
  if (std::exchange(state->is_first, false)) {
    Branch told{};
    told.head = state->head;
    tell(ReportKind::kHeadBegan, told, {});
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
  Branch* const branch = find(static_cast<pid_t>(call.caller()));
  if (branch == nullptr && is_forking() && strangers_.size() < kMostStrangers) {
    strangers_.push_back(call);
    return true;
  }
  const bool is_next_itself =
      branch != nullptr && branch->role == Role::kState && branch->stays && !branch->waits;
  if (branch == nullptr || (branch->role != Role::kFork && !is_next_itself)) {
    return call.refuse(listener, EPERM);
  }
  branch->role = Role::kFork;
  branch->call = call;
  branch->waits = true;
  return give(listener, *branch);
}

bool Branches::end_step(const Descriptor& listener, const Notification& call) {
  Branch* const branch = find(static_cast<pid_t>(call.caller()));
  if (branch == nullptr || branch->role != Role::kRunning) {
    return call.refuse(listener, EPERM);
  }
  branch->role = Role::kDone;
  branch->call = call;
  branch->waits = true;
  const Family family = family_of(proc_.get(), branch->process);
  Report done{};
  measure(*branch, family, done);
  done.is_branchable = family.is_alone ? 1 : 0;
  done.peak_rss_bytes = status_bytes(proc_.get(), branch->process, "\nVmHWM:");
  tell(ReportKind::kStepDone, *branch, done);
  return true;
}

// What it has used, by the clock; of which halves, by ticks.
void Branches::measure(Branch& branch, const Family& family, Report& report) {
  branch.cpu_us =
      std::max(branch.cpu_us, saturating_difference(family.cpu_us, branch.cpu_before_us));
  const std::uint64_t user = saturating_difference(family.user_ticks, branch.user_ticks);
  const std::uint64_t system = saturating_difference(family.system_ticks, branch.system_ticks);
  report.user_us = user + system == 0 ? branch.cpu_us : branch.cpu_us * user / (user + system);
  report.system_us = branch.cpu_us - report.user_us;
}

bool Branches::keep(const Descriptor& listener, std::uint32_t step) {
  Branch* const kept = step_of(step);
  if (kept == nullptr || kept->role != Role::kDone) {
    return true;
  }
  for (Branch& branch : branches_) {
    const bool is_before =
        branch.role == Role::kState || branch.role == Role::kFork || branch.role == Role::kReady;
    if (branch.head == kept->head && &branch != kept && is_before) {
      end_waiting(branch);
    }
  }
  kept->role = Role::kState;
  kept->step = 0;
  // What it has started since it was asked may be about to fork.
  const Family family = family_of(proc_.get(), kept->process);
  kept->stays = !family.is_alone;
  kept->idle_from_us = family.cpu_us;
  return release(listener, *kept,
                 static_cast<int>(kept->stays ? SessionAnswer::kStay : SessionAnswer::kFork));
}

// One that has run nothing since it was forked, or was kept alone: nothing descends from it.
void Branches::end_waiting(Branch& branch) {
  branch.role = Role::kDying;
  branch.step = 0;
  branch.is_forking = false;
  branch.is_cloning = false;
  branch.stays = false;
  (void)kill(branch.process, SIGKILL);  // ESRCH: it has ended
}

void Branches::end(Branch& branch, Verdict verdict) {
  if (branch.verdict == Verdict::kNone) {
    branch.verdict = verdict;
  }
  branch.role = Role::kDying;
  const pid_t process = branch.process;
  kill_trees(proc_.get(), [process](pid_t root) { return root == process; });
}

void Branches::drop(std::uint32_t step, Verdict verdict) {
  for (Prepared& prepared : prepared_) {
    if (prepared.step == step && step != 0) {
      tell_unprepared(prepared, 0, verdict);
      return;
    }
  }
  if (Branch* const branch = step_of(step); branch != nullptr) {
    end(*branch, verdict);
  }
}

bool Branches::drop_largest() {
  Branch* largest = nullptr;
  std::uint64_t most = 0;
  bool is_ending = false;
  const ProcessTree tree(proc_.get());
  for (Branch& branch : branches_) {
    is_ending = is_ending || branch.role == Role::kEnded ||
                (branch.role == Role::kDying && branch.step != 0);
    if (branch.role != Role::kRunning && branch.role != Role::kDone) {
      continue;
    }
    std::uint64_t bytes = 0;
    for (const ProcessEntry& entry : tree.processes()) {
      if (tree.root_of(entry.number) == branch.process) {
        bytes += status_bytes(proc_.get(), entry.number, "\nRssAnon:");
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

void Branches::fork_head(const Order& order) {
  Branch* const branch = step_of(order.step);
  Branch told{};
  told.head = order.other_head;
  told.step = order.step;
  if (branch == nullptr || branch->role != Role::kReady) {
    tell(ReportKind::kStepEnded, told, {});
    return;
  }
  // The fork that waits becomes a state, and makes forks of its own.
  branch->role = Role::kState;
  branch->head = order.other_head;
  branch->step = 0;
  tell(ReportKind::kHeadBegan, told, {});
}

void Branches::close_head(std::uint32_t head) {
  for (Branch& branch : branches_) {
    if (branch.head != head || branch.role == Role::kNone || branch.role == Role::kDying ||
        branch.role == Role::kEnded) {
      continue;
    }
    if (branch.role == Role::kRunning || branch.role == Role::kDone || branch.stays) {
      end(branch, Verdict::kStopped);
    } else {
      end_waiting(branch);
    }
  }
}

bool Branches::take_end(const Descriptor& listener, pid_t process, int status,
                        const rusage& usage) {
  ask_();
  Branch* const branch = find(process);
  if (branch == nullptr) {
    settle_ended();
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
    branch->role = Role::kEnded;
    branch->is_cloning = false;
    branch->is_forking = false;
  }
  sweep();
  settle_ended();
  const bool is_lost = std::none_of(branches_.begin(), branches_.end(), [head](const auto& each) {
    return each.head == head && each.role != Role::kNone && each.role != Role::kDying &&
           each.role != Role::kEnded;
  });
  if (is_lost) {
    lose(head);
  }
  return refuse_strangers(listener) && (is_lost || refill(listener, head));
}

// Whether anything is there that is nobody's: also what is dead, and not waited for yet.
bool Branches::are_others_in(const ProcessTree& tree) const {
  return std::any_of(tree.processes().begin(), tree.processes().end(), [&](const auto& entry) {
    const pid_t root = tree.root_of(entry.number);
    return root > 0 && !is_known_root(root);
  });
}

// A step has ended when what it has left is dead too.
void Branches::settle_ended() {
  if (!have(Role::kEnded) || is_cloning() || are_others_in(ProcessTree(proc_.get()))) {
    return;
  }
  for (Branch& branch : branches_) {
    if (branch.role != Role::kEnded) {
      continue;
    }
    const std::uint32_t head = branch.head;
    const bool lives = std::any_of(branches_.begin(), branches_.end(), [head](const auto& each) {
      return each.head == head && each.role != Role::kNone && each.role != Role::kDying &&
             each.role != Role::kEnded;
    });
    Report ended{};
    ended.wait_status = branch.wait_status;
    ended.peak_rss_bytes = branch.peak_rss_bytes;
    ended.user_us = branch.user_us;
    ended.system_us = branch.system_us;
    ended.is_branchable = lives ? 1 : 0;
    tell(ReportKind::kStepEnded, branch, ended);
    branch = Branch{};
  }
}

void Branches::lose(std::uint32_t head) {
  for (Prepared& prepared : prepared_) {
    if (prepared.step != 0 && prepared.head == head) {
      tell_unprepared(prepared, 0, Verdict::kNone);
    }
  }
  Branch lost{};
  lost.head = head;
  tell(ReportKind::kHeadLost, lost, {});
}

void Branches::tell_unprepared(Prepared& prepared, int error, Verdict verdict) {
  Branch none{};
  none.head = prepared.head;
  none.step = prepared.step;
  none.verdict = verdict;
  Report report{};
  report.error = error;
  report.is_branchable = state_of(prepared.head) == nullptr ? 0 : 1;
  prepared = Prepared{};
  tell(ReportKind::kStepEnded, none, report);
}

void Branches::tell(ReportKind kind, const Branch& branch, Report more) const {
  more.kind = kind;
  more.head = branch.head;
  more.session_step = branch.step;
  more.verdict = branch.verdict;
  more.started_ns = branch.begun_ns;
  more.cpu_us = branch.cpu_us;
  if (kind == ReportKind::kStepDone || kind == ReportKind::kStepEnded) {
    on_report_(more);
  }
  if (!channel_.send(more)) {
    // The server is gone. The end of PID 1 is the end of the jail (pid_namespaces(7)).
    _exit(2);
  }
}

// Each look that a fork failed at before: other processes may have ended. Where none can, it fails.
bool Branches::try_again(const Descriptor& listener, Branch& state) {
  const bool may_change = std::any_of(branches_.begin(), branches_.end(), [](const Branch& each) {
    return each.role == Role::kRunning || each.role == Role::kDying;
  });
  state.retry_ns = 0;
  if (may_change) {
    return refill(listener, state.head);
  }
  if (Prepared* const prepared = prepared_for(state.head); prepared != nullptr) {
    tell_unprepared(*prepared, state.fork_error, Verdict::kNone);
  }
  return true;
}

void Branches::look_at_idle(Branch& branch, const ProcessTree& tree) {
  const std::uint64_t used =
      saturating_difference(tree.family_of(branch.process).cpu_us, branch.idle_from_us);
  if (used >= std::max(idle_limit_us_, kLeastIdleUs)) {
    on_idle_();
    // Each fork of that state would do the same.
    close_head(branch.head);
  }
}

void Branches::look_at_step(Branch& branch, const ProcessTree& tree) {
  Report unused{};
  measure(branch, tree.family_of(branch.process), unused);
  if (branch.cpu_limit_us == kUnlimited || branch.cpu_us < branch.cpu_limit_us) {
    return;
  }
  // As the kernel does: a second of CPU after SIGXCPU comes SIGKILL (setrlimit(2)).
  if (branch.cpu_us - branch.cpu_limit_us >= kGraceUs) {
    end(branch, Verdict::kCpu);
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

int Branches::look(const Descriptor& listener) {
  const ProcessTree tree(proc_.get());
  if (are_others_in(tree)) {
    sweep();
  }
  settle_ended();
  const std::uint64_t processes = std::max<std::size_t>(1, tree.processes().size());
  int sleep_ms = have(Role::kEnded) ? kShortestSleepMs
                 : are_busy()       ? kLongestSleepMs
                                    : kIdleSleepMs;
  for (Branch& branch : branches_) {
    if (branch.role == Role::kState && branch.retry_ns != 0) {
      if (monotonic_ns() >= branch.retry_ns && !try_again(listener, branch)) {
        return 0;
      }
      sleep_ms = std::min(sleep_ms, kShortestSleepMs);
    }
    if (branch.role == Role::kState || branch.role == Role::kFork || branch.role == Role::kReady) {
      look_at_idle(branch, tree);
    }
    if (branch.role != Role::kRunning) {
      continue;
    }
    look_at_step(branch, tree);
    if (branch.cpu_limit_us != kUnlimited) {
      const std::uint64_t left_ms =
          saturating_difference(branch.cpu_limit_us, branch.cpu_us) / 1000U / processes;
      const auto bounded = std::min<std::uint64_t>(left_ms, kLongestSleepMs);
      sleep_ms = std::min(sleep_ms, std::max(kShortestSleepMs, static_cast<int>(bounded)));
    }
  }
  return sleep_ms;
}

// Ends whatever is a child of PID 1 and nobody's: what a step that is over has left, or has made to
// outlive it.
void Branches::sweep() {
  if (!is_cloning()) {
    kill_trees(proc_.get(), [this](pid_t root) { return root > 0 && !is_known_root(root); });
  }
}

}  // namespace codejail
