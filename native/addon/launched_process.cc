#include "addon/launched_process.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <utility>

#include "addon/cgroup_end.h"
#include "addon/child.h"
#include "addon/jail_processes.h"
#include "addon/pidfd.h"

namespace codejail {
namespace {

// Between two looks whether a child without a pidfd has ended, which takes it a moment.
constexpr std::uint64_t kLookMs = 2;
// How long a launcher may take to end its jail when the environment goes away.
constexpr int kPatienceMs = 2000;

}  // namespace

LaunchedProcess::LaunchedProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                                 Napi::Function on_event, const SpawnPlan& plan)
    : JailProcess(owner, id, std::move(report), on_event, State::kStarting),
      flags_(plan.header.flags),
      path_(plan.launcher) {}

LaunchedProcess::~LaunchedProcess() {
  spawner_.join();
  stop_all();
}

Status LaunchedProcess::start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends) {
  return spawner_.start(std::move(plan), std::move(ends), owner().mailbox(), id());
}

void LaunchedProcess::adopt(Spawned result) {
  launcher_.adopt(std::move(result.pidfd));
  cgroup_ = std::move(result.cgroup);
}

void LaunchedProcess::spawned(Spawned result) {
  // It has put its result down and is about to end.
  spawner_.join();
  const bool is_sweep = state_ == State::kSweeping;
  if (!is_sweep) {
    state_ = State::kRunning;
    lease_ = std::move(result.lease);
    cgroup_ = std::move(result.cgroup);
  }
  if (!result.status.ok()) {
    if (!is_sweep) {
      fail(result.status, result.status.detail());
    }
    finish();
    return;
  }
  launcher_.follow(owner().poller(), std::move(result.pidfd), holds_loop_, [this](uv_loop_t* turn) {
    const std::shared_ptr<JailProcess> alive = shared_from_this();
    on_process_end(turn);
  });
  if (is_sweep) {
    return;
  }
  if (wish_ >= Wish::kKill) {
    kill();
  } else if (wish_ == Wish::kStop) {
    ask_to_stop();
  }
}

void LaunchedProcess::stop_all() {
  stop_watches();
  launcher_.stop();
  numbered_look_.stop();
}

void LaunchedProcess::hold_loop(bool held) {
  JailProcess::hold_loop(held);
  launcher_.hold_loop(held);
}

pid_t LaunchedProcess::process() const {
  return supervisor_.is_known() ? JailProcess::process() : number_of(launcher_.pidfd());
}

void LaunchedProcess::kill() {
  raise(Wish::kKill);
  if (state_ == State::kStarting || state_ == State::kSweeping) {
    return;
  }
  if (has(kReaperByUid) && cgroup_.valid()) {
    cgroup_.kill();
    return;
  }
  if (has(kReaperByUid) && wish_ != Wish::kHangUp) {
    raise(Wish::kHangUp);
    // Without a PID namespace nobody but the launcher knows what the program has started. It takes
    // the end of the channel for the end of the server, and ends all.
    // ENOTCONN: it has hung up itself.
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    return;
  }
  supervisor_.kill();
  // A launcher that is about to tell of the jail's PID 1 is left to do so: nobody else knows it.
  if (!has(kLauncherMakesNamespaces)) {
    launcher_.kill();
  }
}

void LaunchedProcess::lose_report(uv_loop_t* loop, const Report& report) {
  if (report.kind == ReportKind::kNamespaces) {
    end_by_number(loop, report.main_process);
  }
}

// The number is this server's own for its child.
void LaunchedProcess::end_by_number(uv_loop_t* loop, pid_t child) {
  // What else is reported of a jail that is being killed is no news.
  report_watch_.stop();
  report_channel_.reset();
  numbered_child_ = child;
  kill_child(child);
  numbered_look_.repeat(loop, kLookMs, [this, loop] {
    if (reap_child(numbered_child_, WNOHANG)) {
      const std::shared_ptr<JailProcess> alive = shared_from_this();
      numbered_child_ = 0;
      numbered_look_.stop();
      on_process_end(loop);
    }
  });
}

void LaunchedProcess::on_process_end(uv_loop_t* loop) {
  if (state_ == State::kOver) {
    // It was seen already; what is held is about to be given back.
    stop_all();
    return;
  }
  launcher_.look(state_ == State::kSweeping ? sweep_status_ : launcher_status_);
  supervisor_.look(launcher_status_);
  if (!launcher_.has_ended()) {
    return;
  }
  read_reports(loop);
  if (numbered_child_ > 0 || supervisor_.lives()) {
    return;
  }
  if (state_ != State::kSweeping && may_have_leftovers() && start_sweep()) {
    return;
  }
  finish();
}

// A launcher that exits has ended all before. One that was killed from outside has not, and without
// a PID namespace what it leaves lives on.
bool LaunchedProcess::may_have_leftovers() const {
  return has(kReaperByUid) && lease_.lock.valid() && !end_report_ && launcher_status_ < 0 &&
         !(cgroup_.valid() && cgroup_.empty());
}

bool LaunchedProcess::start_sweep() {
  auto plan = std::make_unique<SpawnPlan>();
  plan->launcher = path_;
  plan->header.flags = kSweepUid | kReaperByUid | kDropGroups;
  plan->header.uid = lease_.uid;
  plan->header.gid = lease_.uid;
  plan->header.launcher_uid = lease_.launcher_uid;
  if (!start(std::move(plan), ChildEnds{}).ok()) {
    return false;
  }
  launcher_.forget();
  state_ = State::kSweeping;
  return true;
}

void LaunchedProcess::finish() {
  if (state_ == State::kOver) {
    return;
  }
  state_ = State::kOver;
  stop_all();
  // Before JavaScript goes on.
  give_back();
  announce_end();
}

void LaunchedProcess::give_back() {
  // A uid that may still have a process is not lent again.
  if (may_have_leftovers() && sweep_status_ != 0) {
    owner().set_aside(std::move(lease_));
  }
  lease_.lock.reset();
  report_channel_.reset();
  launcher_.forget();
  supervisor_.forget();
  // Who has called this holds it still.
  owner().remove(id());
}

void LaunchedProcess::announce_end() {
  const Napi::Env env = owner().env();
  const Napi::HandleScope scope(env);
  Napi::Object event = end_event(env);
  if (cgroup_.valid()) {
    event.Set("cgroup", end_cgroup(env, std::move(cgroup_)));
  }
  emit(event);
}

void LaunchedProcess::end_now() {
  stop_all();
  if (has(kLauncherMakesNamespaces) && launcher_.is_known()) {
    // It ends by itself, after it has told of the jail's PID 1.
    wait_for_end(launcher_.pidfd());
    launcher_.forget();
  }
  if (has(kReaperByUid) && launcher_.is_known()) {
    // ENOTCONN: it has hung up itself.
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    if (wait_for_end(launcher_.pidfd(), kPatienceMs)) {
      launcher_.forget();
    }
  }
  Report last{};
  if (drain_reports(last) && last.kind == ReportKind::kNamespaces) {
    numbered_child_ = last.main_process;
  }
  if (numbered_child_ > 0) {
    kill_child(numbered_child_);
    (void)reap_child(numbered_child_, 0);  // without WNOHANG it has ended in any case
  }
  for (const FollowedProcess* process : {&supervisor_, &launcher_}) {
    if (process->is_known()) {
      process->kill();
      wait_for_end(process->pidfd());
    }
  }
  report_channel_.reset();
}

}  // namespace codejail
