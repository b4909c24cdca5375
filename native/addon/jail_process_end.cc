// How a jail ends: what is waited for, told, and given back.
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>

#include "addon/cgroup_end.h"
#include "addon/child.h"
#include "addon/jail_events.h"
#include "addon/jail_process.h"
#include "addon/jail_processes.h"
#include "addon/pidfd.h"
#include "addon/report_receiver.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

// How long a launcher may take to end its jail when the environment goes away.
constexpr int kPatienceMs = 2000;

}  // namespace

void JailProcess::on_process_end(uv_loop_t* loop) {
  if (finished_) {
    // It was seen already; what is held is about to be given back.
    stop_watches();
    return;
  }
  if (!first_ended_ && reap(first_pidfd_, sweeping_ ? sweep_status_ : launcher_status_)) {
    first_ended_ = true;
    first_watch_.stop();
  }
  if (second_pidfd_.valid() && !second_ended_ && reap(second_pidfd_, launcher_status_)) {
    second_ended_ = true;
    second_watch_.stop();
  }
  if (!first_ended_) {
    return;
  }
  read_reports(loop);
  if (numbered_child_ > 0 || (second_pidfd_.valid() && !second_ended_)) {
    return;
  }
  if (!sweeping_ && may_have_leftovers() && start_sweep()) {
    return;
  }
  finish();
}

// A launcher that exits has ended all before. One that was killed from outside has not, and without
// a PID namespace what it leaves lives on.
bool JailProcess::may_have_leftovers() const {
  return reaper_by_uid_ && lease_.lock.valid() && !have_end_ && launcher_status_ < 0 &&
         !(cgroup_.valid() && cgroup_.empty());
}

bool JailProcess::start_sweep() {
  auto plan = std::make_unique<SpawnPlan>();
  plan->launcher = launcher_;
  plan->header.flags = kSweepUid | kReaperByUid | kDropGroups;
  plan->header.uid = lease_.uid;
  plan->header.gid = lease_.uid;
  plan->header.launcher_uid = lease_.launcher_uid;
  sweeping_ = start(std::move(plan), ChildEnds{}).ok();
  if (sweeping_) {
    first_ended_ = false;
  }
  return sweeping_;
}

void JailProcess::announce_end() {
  end_announced_ = true;
  if (call_) {
    if (call_->has_begun()) {
      owner_.call_ends();
    }
    // What is left in the pipes is JavaScript's to read, and to close.
    call_->stop();
  }
  const Napi::Env env = owner_.env();
  const Napi::HandleScope scope(env);
  const int tmp_directory = owner_.hand_out(std::move(tmp_directory_));
  Napi::Object event = ended_event(env, {failure_, failure_detail_, launcher_status_,
                                         have_end_ ? &end_report_ : nullptr, tmp_directory});
  if (cgroup_.valid()) {
    event.Set("cgroup", end_cgroup(env, std::move(cgroup_)));
  }
  emit(event);
}

bool JailProcess::is_gone() {
  if (!end_announced_ || !wait_for_end(second_pidfd_, 0)) {
    return false;
  }
  finished_ = true;
  return true;
}

void JailProcess::finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  stop_watches();
  if (!is_cell_) {
    // Before JavaScript goes on. What a cell has is given back when its caller has the result.
    let_go();
  } else if (!second_pidfd_.valid()) {
    // The end of it ends a PID 1 that this server could not be told of.
    report_channel_.reset();
  }
  if (!end_announced_) {
    announce_end();
  }
  if (is_cell_) {
    const Napi::HandleScope scope(owner_.env());
    emit(plain_event(owner_.env(), "gone"));
  }
}

void JailProcess::let_go() {
  if (!finished_) {
    return;
  }
  stop_watches();
  // A uid that may still have a process is not lent again.
  if (may_have_leftovers() && sweep_status_ != 0) {
    owner_.set_aside(std::move(lease_));
  }
  lease_.lock.reset();
  report_channel_.reset();
  end_.reset();
  lifeline_.reset();
  for (Descriptor& listener : filter_listeners_) {
    listener.reset();
  }
  first_pidfd_.reset();
  second_pidfd_.reset();
  // Who has called this holds it still.
  owner_.remove(id_);
}

void JailProcess::end_now() {
  stop_watches();
  if (launcher_makes_namespaces_ && first_pidfd_.valid()) {
    // It ends by itself, after it has told of the jail's PID 1.
    wait_for_end(first_pidfd_);
    first_pidfd_.reset();
  }
  if (reaper_by_uid_ && first_pidfd_.valid()) {
    // ENOTCONN: it has hung up itself.
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    if (wait_for_end(first_pidfd_, kPatienceMs)) {
      first_pidfd_.reset();
    }
  }
  Report report{};
  Descriptor passed[kMostReported];
  ssize_t count = 0;
  while ((count = receive_report(report_channel_, report, passed)) > 0) {
    if (report.kind == ReportKind::kNamespaces) {
      second_pidfd_ = std::move(passed[0]);
    }
  }
  if (count < 0 && errno == EMFILE && report.kind == ReportKind::kNamespaces && !is_cell_) {
    numbered_child_ = report.main_process;
  }
  if (numbered_child_ > 0) {
    kill_child(numbered_child_);
    (void)reap_child(numbered_child_, 0);  // without WNOHANG it has ended in any case
  }
  for (const Descriptor* pidfd : {&second_pidfd_, &first_pidfd_}) {
    if (pidfd->valid()) {
      (void)sys_pidfd_send_signal(pidfd->get(), SIGKILL);  // ESRCH: it has ended
      wait_for_end(*pidfd);
    }
  }
  report_channel_.reset();
}

}  // namespace codejail
