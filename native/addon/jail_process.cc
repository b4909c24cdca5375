#include "addon/jail_process.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "addon/child.h"
#include "addon/jail_events.h"
#include "addon/jail_processes.h"
#include "addon/pidfd.h"
#include "addon/report_receiver.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

// Between two looks whether a child without a pidfd has ended, which takes it a moment.
constexpr std::uint64_t kLookMs = 2;

// Whether nothing is left in a pipe, and nobody can write to it any more.
bool is_at_end(int pipe) {
  pollfd event{pipe, POLLIN, 0};
  return poll(&event, 1, 0) == 1 && event.revents == POLLHUP;
}

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

void JailProcess::watch_report() {
  report_watch_.start(owner_.poller(), report_channel_.get(), Poller::kReadable,
                      [this](uv_loop_t* turn) { shared_from_this()->read_reports(turn); });
}

void JailProcess::watch_end(Descriptor end) {
  end_ = std::move(end);
  end_watch_.start(owner_.poller(), end_.get(), Poller::kReadable,
                   [this](uv_loop_t* turn) { shared_from_this()->read_reports(turn); });
}

void JailProcess::expect_call(Timerfd timerfd, const std::array<int, kOutputCount>& outputs) {
  call_.emplace(owner_.poller(), std::move(timerfd), outputs,
                [this](std::size_t first, std::size_t end) {
                  const std::shared_ptr<JailProcess> alive = shared_from_this();
                  read_outputs(first, end);
                });
}

Status JailProcess::start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends) {
  return spawner_.start(std::move(plan), std::move(ends), owner_.mailbox(), id_);
}

void JailProcess::spawned(Spawned result) {
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
  first_watch_.start(owner_.poller(), first_pidfd_.get(), Poller::kReadable,
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

void JailProcess::stop_watches() {
  if (call_) {
    call_->stop();
  }
  for (Watch* watch : {&report_watch_, &end_watch_, &first_watch_, &second_watch_}) {
    watch->stop();
  }
  numbered_look_.stop();
}

void JailProcess::hold_loop(bool held) {
  holds_loop_ = held;
  for (Watch* watch : {&report_watch_, &end_watch_, &first_watch_, &second_watch_}) {
    watch->hold_loop(held);
  }
}

ssize_t JailProcess::begin_call(uv_loop_t* loop, const CellCall::Start& start) {
  const ssize_t written = call_->begin(loop, report_channel_, start);
  // The end is told by the eventfd. Not a descriptor: those that nobody has taken yet count for the
  // user (unix(7)).
  if (start.order.wants_tmp_directory == 0) {
    report_watch_.stop();
  }
  return written;
}

void JailProcess::ask_to_stop() {
  stop_requested_ = true;
  if (have_spawned_) {
    Order order{};
    order.kind = OrderKind::kStop;
    // Where it can't be sent nobody listens any more, as the process's end tells.
    (void)send_order(report_channel_, order);
    if (call_) {
      call_->wake_supervisor();
    }
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
    // ENOTCONN: it has hung up itself.
    (void)shutdown(report_channel_.get(), SHUT_RDWR);
    return;
  }
  // ESRCH, here and below: it has ended.
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

void JailProcess::read_reports(uv_loop_t* loop) {
  for (;;) {
    Report report{};
    Descriptor passed[kMostReported];
    const ssize_t count = receive_report(report_channel_, report, passed);
    if (count < 0 && errno == ECONNRESET) {
      // It ended with an order unread; what it reported before comes next (net/unix/af_unix.c).
      continue;
    }
    const bool has_lost = count < 0 && errno == EMFILE;
    if (has_lost && report.kind == ReportKind::kEnded) {
      // What came with it is only for speed.
      for (Descriptor& descriptor : passed) {
        descriptor.reset();
      }
      take_report(report, passed);
      continue;
    }
    if (has_lost) {
      failure_ = Status::failure(Step::kSupervise, errno);
      failure_detail_ = "a descriptor of the jail could not be received";
      if (report.kind == ReportKind::kNamespaces && !is_cell_) {
        end_by_number(loop, report.main_process);
      }
      kill();
    }
    if (count == 0 || has_lost || (count < 0 && errno != EAGAIN)) {
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
      take_report(report, passed);
    }
    if (end_announced_) {
      return;
    }
  }
}

// The number is this server's own for its child; a cell's PID 1 is the nursery's.
void JailProcess::end_by_number(uv_loop_t* loop, pid_t child) {
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

void JailProcess::take_report(const Report& report, Descriptor (&passed)[kMostReported]) {
  const Napi::Env env = owner_.env();
  switch (report.kind) {
    case ReportKind::kNamespaces:
      second_pidfd_ = std::move(passed[0]);
      second_watch_.start(owner_.poller(), second_pidfd_.get(), Poller::kReadable,
                          [this](uv_loop_t* turn) { shared_from_this()->on_process_end(turn); });
      second_watch_.hold_loop(holds_loop_);
      if (kill_requested_) {
        kill();
      }
      break;
    case ReportKind::kTmpDirectory:
      tmp_directory_ = std::move(passed[0]);
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
      if (is_cell_) {
        // The template's word: the cell's PID 1 waits for a main process that will never come.
        kill();
      }
      break;
    case ReportKind::kEnded:
      have_end_ = true;
      end_report_ = report;
      std::move(passed, passed + kMostReported, filter_listeners_);
      if (is_cell_) {
        // Its PID 1 is the last one, and about to end: JavaScript has work to do meanwhile.
        report_watch_.stop();
        end_watch_.stop();
        announce_end();
      }
      break;
    case ReportKind::kCellReady: {
      call_->stand_by(report, second_pidfd_);
      const Napi::HandleScope scope(env);
      emit(ready_event(env, report));
      break;
    }
    case ReportKind::kAttempt: {
      const Napi::HandleScope scope(env);
      emit(attempt_event(env, report));
      break;
    }
    case ReportKind::kTemplateEnded: {
      const Napi::HandleScope scope(env);
      emit(plain_event(env, "templateEnded"));
      break;
    }
  }
}

void JailProcess::read_outputs(std::size_t first, std::size_t end) {
  const Napi::Env env = owner_.env();
  const Napi::HandleScope scope(env);
  CellOutputs& outputs = call_->outputs();
  OutputNews news;
  bool has_news = false;
  for (std::size_t output = first; output < end; ++output) {
    if (!outputs.is_open(output)) {
      continue;
    }
    const int descriptor = outputs.descriptor(output);
    Napi::Buffer<char>& chunk = news.chunks[output];
    const ssize_t count = owner_.read_chunk(descriptor, chunk);
    if (count > 0 && chunk.IsEmpty()) {
      // There is no memory for it, as in a worker that is being terminated: rather none than less.
      if (env.IsExceptionPending()) {
        (void)env.GetAndClearPendingException();
      }
      kill();
      break;
    }
    has_news = has_news || count >= 0;
    // As a rule the end comes with the last of it.
    if (count == 0 || (count > 0 && is_at_end(descriptor))) {
      outputs.stop(output);
      owner_.take_back(descriptor);
      news.have_ended[output] = true;
    }
  }
  if (has_news) {
    emit(outputs_event(env, news));
  }
}

void JailProcess::emit(const Napi::Object& event) {
  on_event_.MakeCallback(owner_.env().Global(), {event}, context_);
  if (owner_.env().IsExceptionPending()) {
    const Napi::Error error = owner_.env().GetAndClearPendingException();
    napi_fatal_exception(owner_.env(), error.Value());
  }
}

}  // namespace codejail
