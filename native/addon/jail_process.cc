#include "jail_process.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include <cerrno>

#include "cell.h"
#include "cgroup_end.h"
#include "jail_events.h"
#include "jail_processes.h"
#include "pidfd.h"
#include "report_receiver.h"
#include "syscalls.h"

namespace codejail {
namespace {

// How long a launcher may take to end its jail when the environment goes away.
constexpr int kPatienceMs = 2000;
constexpr long kAtOnceNs = 1;
constexpr int kEvents = UV_READABLE | UV_DISCONNECT;

// Most calls are over by then, and their outputs are read when they end: a write to a pipe would
// have the server woken upon the writer's own processor (fs/pipe.c, a synchronous wake), and the
// program wait for it.
constexpr std::uint64_t kMomentMs = 3;

// What went in comes back, as a rule: half of what a pipe holds, beyond which a program waits for
// its reader.
constexpr std::size_t kLargeBytes = 32768;

}  // namespace

JailProcess::JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                         Napi::Function on_event, const SpawnPlan& plan, bool is_cell)
    : owner_(owner),
      id_(id),
      launcher_makes_namespaces_(is_cell || (plan.header.flags & kLauncherMakesNamespaces) != 0),
      reaper_by_uid_((plan.header.flags & kReaperByUid) != 0),
      is_cell_(is_cell),
      launcher_(plan.launcher),
      report_channel_(std::move(report)),
      on_event_(Napi::Persistent(on_event)),
      context_(owner.env(), "codejail:jail"),
      have_spawned_(is_cell),
      first_ended_(is_cell) {}

JailProcess::~JailProcess() {
  spawner_.join();
  stop_watches();
}

void JailProcess::watch_report(uv_loop_t* loop) {
  report_watch_.start(loop, report_channel_.get(), kEvents,
                      [this](uv_loop_t* turn) { shared_from_this()->read_reports(turn); });
}

void JailProcess::watch_end(uv_loop_t* loop, Descriptor end) {
  end_ = std::move(end);
  end_watch_.start(loop, end_.get(), kEvents,
                   [this](uv_loop_t* turn) { shared_from_this()->read_reports(turn); });
}

void JailProcess::keep_outputs(const std::array<int, kOutputCount>& descriptors) {
  outputs_.emplace(descriptors, [this](std::size_t first, std::size_t end) {
    const std::shared_ptr<JailProcess> alive = shared_from_this();
    for (std::size_t output = first; output < end; ++output) {
      read_output(output);
    }
  });
}

Status JailProcess::start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends) {
  return spawner_.start(std::move(plan), std::move(ends), owner_.mailbox(), id_);
}

void JailProcess::spawned(uv_loop_t* loop, Spawned result) {
  have_spawned_ = true;
  // It has put its result down and is about to end.
  spawner_.join();
  first_pidfd_ = std::move(result.pidfd);
  if (sweeping_ && !result.status.ok()) {
    finish();
    return;
  }
  if (!sweeping_) {
    lease_ = std::move(result.lease);
    cgroup_ = std::move(result.cgroup);
  }
  if (!result.status.ok()) {
    failure_ = result.status;
    failure_detail_ = result.status.detail();
    finish();
    return;
  }
  first_watch_.start(loop, first_pidfd_.get(), kEvents,
                     [this](uv_loop_t* turn) { shared_from_this()->on_process_end(turn); });
  first_watch_.hold_loop(holds_loop_);
  if (sweeping_) {
    return;
  }
  if (kill_requested_) {
    kill();
  } else if (stop_requested_) {
    ask_to_stop();
  }
}

void JailProcess::stop_outputs() {
  moment_.stop();
  if (outputs_) {
    outputs_->stop();
  }
}

void JailProcess::stop_watches() {
  stop_outputs();
  for (Watch* watch : {&report_watch_, &end_watch_, &first_watch_, &second_watch_}) {
    watch->stop();
  }
}

void JailProcess::hold_loop(bool held) {
  holds_loop_ = held;
  for (const Watch* watch : {&report_watch_, &end_watch_, &first_watch_, &second_watch_}) {
    watch->hold_loop(held);
  }
}

std::size_t JailProcess::begin_call(uv_loop_t* loop, Order order, int request,
                                    const std::uint8_t* frame, std::size_t size) {
  order.kind = OrderKind::kArm;
  order.main_process = ready_.main_process;
  order.spent_user_us = ready_.user_us;
  order.spent_system_us = ready_.system_us;
  order.inherited_bytes = ready_.peak_sum_bytes;
  // Before the frame: a cell's end may come at once, and its supervisor then looks for this.
  send_order(report_channel_, order);
  ssize_t written = 0;
  do {
    written = ::write(request, frame, size);
  } while (written < 0 && errno == EINTR);
  call_runs_ = true;
  owner_.call_begins();
  if (size > kLargeBytes) {
    outputs_->read_as_it_comes(loop);
  } else {
    outputs_->read_at_end(loop);
    if (owner_.calls() == 1) {
      placement_.keep_apart(supervisor_, second_pidfd_);
    }
    moment_.start(loop, kMomentMs, [this, loop] {
      outputs_->read_as_it_comes(loop);
      placement_.restore(second_pidfd_);
    });
  }
  alarm_.set(kFirstLookNs);
  // The end is told by the eventfd. Not a descriptor: those that nobody has taken yet count for the
  // user (unix(7)).
  if (order.wants_tmp_directory == 0) {
    report_watch_.stop();
  }
  // EPIPE: the cell has died, which its end tells.
  return written < 0 ? 0 : static_cast<std::size_t>(written);
}

void JailProcess::ask_to_stop() {
  stop_requested_ = true;
  if (have_spawned_) {
    Order order{};
    order.kind = OrderKind::kStop;
    send_order(report_channel_, order);
    alarm_.set(kAtOnceNs);
  }
}

void JailProcess::kill() {
  kill_requested_ = true;
  if (!have_spawned_ || sweeping_) {
    return;
  }
  if (reaper_by_uid_ && cgroup_.valid()) {
    cgroup_.kill();
    return;
  }
  if (reaper_by_uid_ && !std::exchange(hung_up_, true)) {
    // Without a PID namespace nobody but the launcher knows what the program has started. It takes
    // the end of the channel for the end of the server, and ends all.
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    return;
  }
  if (second_pidfd_.valid()) {
    (void)sys_pidfd_send_signal(second_pidfd_.get(), SIGKILL);
  }
  // A launcher that is about to tell of the jail's PID 1 is left to do so: nobody else knows it.
  if (!launcher_makes_namespaces_ && first_pidfd_.valid()) {
    (void)sys_pidfd_send_signal(first_pidfd_.get(), SIGKILL);
  }
}

pid_t JailProcess::process() const {
  return number_of(second_pidfd_.valid() ? second_pidfd_ : first_pidfd_);
}

void JailProcess::end_now() {
  stop_watches();
  if (launcher_makes_namespaces_ && first_pidfd_.valid()) {
    // It ends by itself, after it has told of the jail's PID 1.
    wait_for_end(first_pidfd_);
    first_pidfd_.reset();
  }
  if (reaper_by_uid_ && first_pidfd_.valid()) {
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    if (wait_for_end(first_pidfd_, kPatienceMs)) {
      first_pidfd_.reset();
    }
  }
  Report report{};
  Descriptor passed;
  while (receive_report(report_channel_, report, passed) > 0) {
    if (report.kind == ReportKind::kNamespaces) {
      second_pidfd_ = std::move(passed);
    }
  }
  for (const Descriptor* pidfd : {&second_pidfd_, &first_pidfd_}) {
    if (pidfd->valid()) {
      (void)sys_pidfd_send_signal(pidfd->get(), SIGKILL);
      wait_for_end(*pidfd);
    }
  }
  report_channel_.reset();
}

void JailProcess::read_reports(uv_loop_t* loop) {
  for (;;) {
    Report report{};
    Descriptor passed;
    const ssize_t count = receive_report(report_channel_, report, passed);
    if (count < 0 && errno == ECONNRESET) {
      // It ended with an order unread; what it reported before comes next (net/unix/af_unix.c).
      continue;
    }
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
      // The end: what follows is told by the pidfd.
      report_watch_.stop();
      if (is_cell_ && !second_pidfd_.valid()) {
        // Its nursery ended before there was a process.
        finish();
      }
      return;
    }
    if (count < 0) {
      return;
    }
    if (count == static_cast<ssize_t>(sizeof(report))) {
      take_report(report, std::move(passed), loop);
    }
    if (end_announced_) {
      return;
    }
  }
}

void JailProcess::take_report(const Report& report, Descriptor passed, uv_loop_t* loop) {
  const Napi::Env env = owner_.env();
  switch (report.kind) {
    case ReportKind::kNamespaces:
      second_pidfd_ = std::move(passed);
      second_watch_.start(loop, second_pidfd_.get(), kEvents,
                          [this](uv_loop_t* turn) { shared_from_this()->on_process_end(turn); });
      second_watch_.hold_loop(holds_loop_);
      if (kill_requested_) {
        kill();
      }
      break;
    case ReportKind::kTmpDirectory:
      tmp_directory_ = std::move(passed);
      if (is_cell_) {
        report_watch_.stop();
      }
      break;
    case ReportKind::kStarted: {
      const Napi::HandleScope scope(env);
      emit(started_event(env, report));
      break;
    }
    case ReportKind::kFailed:
      failure_ = Status::failure(report.step, report.error);
      failure_detail_.assign(report.detail, strnlen(report.detail, sizeof(report.detail)));
      break;
    case ReportKind::kEnded:
      have_end_ = true;
      end_report_ = report;
      if (is_cell_) {
        // Its PID 1 is the last one, and about to end: JavaScript has work to do meanwhile.
        report_watch_.stop();
        end_watch_.stop();
        announce_end();
      }
      break;
    case ReportKind::kCellReady: {
      ready_ = report;
      supervisor_ = number_of(second_pidfd_);
      const Napi::HandleScope scope(env);
      emit(plain_event(env, "ready"));
      break;
    }
    case ReportKind::kTemplateEnded: {
      const Napi::HandleScope scope(env);
      emit(plain_event(env, "templateEnded"));
      break;
    }
  }
}

void JailProcess::read_output(std::size_t output) {
  const Napi::Env env = owner_.env();
  const Napi::HandleScope scope(env);
  // Twice: as a rule the end comes with the last of it.
  for (int i = 0; i < 2 && outputs_->is_open(output); ++i) {
    Napi::Buffer<char> chunk;
    const ssize_t count = owner_.read_chunk(outputs_->descriptor(output), chunk);
    if (count == 0) {
      outputs_->stop(output);
    }
    // In a worker that is being terminated there is no memory for it.
    if (count < 0 || (count > 0 && chunk.IsEmpty())) {
      return;
    }
    emit(output_event(env, output, chunk));
  }
}

void JailProcess::on_process_end(uv_loop_t* loop) {
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
  if (second_pidfd_.valid() && !second_ended_) {
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
  if (std::exchange(call_runs_, false)) {
    owner_.call_ends();
  }
  // What is left in the pipes is JavaScript's to read, and to close.
  stop_outputs();
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
  let_go();
  return true;
}

void JailProcess::finish() {
  if (finished_) {
    return;
  }
  // Before JavaScript goes on: when the call settles, nothing of it is open.
  let_go();
  if (!end_announced_) {
    announce_end();
  }
  if (is_cell_) {
    const Napi::HandleScope scope(owner_.env());
    emit(plain_event(owner_.env(), "gone"));
  }
}

void JailProcess::let_go() {
  finished_ = true;
  stop_watches();
  // A uid that may still have a process is not lent again.
  if (may_have_leftovers() && sweep_status_ != 0) {
    owner_.set_aside(std::move(lease_));
  }
  lease_.lock.reset();
  report_channel_.reset();
  end_.reset();
  first_pidfd_.reset();
  second_pidfd_.reset();
  // Who has called this holds it still.
  owner_.remove(id_);
}

void JailProcess::emit(const Napi::Object& event) {
  on_event_.MakeCallback(owner_.env().Global(), {event}, context_);
  if (owner_.env().IsExceptionPending()) {
    const Napi::Error error = owner_.env().GetAndClearPendingException();
    napi_fatal_exception(owner_.env(), error.Value());
  }
}

}  // namespace codejail
