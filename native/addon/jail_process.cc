#include "addon/jail_process.h"

#include <string.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "addon/jail_events.h"
#include "addon/jail_processes.h"
#include "addon/pidfd.h"
#include "addon/report_receiver.h"

namespace codejail {

JailProcess::JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                         Napi::Function on_event, State state)
    : state_(state),
      report_channel_(std::move(report)),
      owner_(owner),
      id_(id),
      on_event_(Napi::Persistent(on_event)),
      context_(owner.env(), "codejail:jail") {}

void JailProcess::watch_report() {
  report_watch_.start(owner_.poller(), report_channel_.get(), Poller::kReadable,
                      [this](uv_loop_t* turn) {
                        const std::shared_ptr<JailProcess> alive = shared_from_this();
                        read_reports(turn);
                      });
}

void JailProcess::hold_loop(bool held) {
  holds_loop_ = held;
  report_watch_.hold_loop(held);
  supervisor_.hold_loop(held);
}

void JailProcess::stop_watches() {
  report_watch_.stop();
  supervisor_.stop();
}

pid_t JailProcess::process() const {
  return number_of(supervisor_.pidfd());
}

void JailProcess::raise(Wish wish) {
  wish_ = std::max(wish_, wish);
}

void JailProcess::ask_to_stop() {
  raise(Wish::kStop);
  if (state_ == State::kStarting) {
    return;
  }
  Order order{};
  order.kind = OrderKind::kStop;
  // Where it can't be sent nobody listens any more, as the process's end tells.
  (void)send_order(report_channel_, order);
}

void JailProcess::fail(const Status& status, std::string detail) {
  failure_ = status;
  failure_detail_ = std::move(detail);
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
      fail(Status::failure(Step::kSupervise, errno),
           "a descriptor of the jail could not be received");
      lose_report(loop, report);
      kill();
    }
    if (count == 0 || has_lost || (count < 0 && errno != EAGAIN)) {
      report_watch_.stop();
      on_silence();
      return;
    }
    if (count < 0) {
      return;
    }
    if (count == static_cast<ssize_t>(sizeof(report))) {
      take_report(report, passed);
    }
    if (state_ >= State::kTold) {
      return;
    }
  }
}

bool JailProcess::drain_reports(Report& last) {
  Descriptor passed[kMostReported];
  ssize_t count = 0;
  while ((count = receive_report(report_channel_, last, passed)) > 0) {
    if (last.kind == ReportKind::kNamespaces) {
      supervisor_.adopt(std::move(passed[0]));
    }
  }
  return count < 0 && errno == EMFILE;
}

void JailProcess::take_report(const Report& report, Descriptor (&passed)[kMostReported]) {
  const Napi::Env env = owner_.env();
  switch (report.kind) {
    case ReportKind::kNamespaces:
      supervisor_.follow(owner_.poller(), std::move(passed[0]), holds_loop_,
                         [this](uv_loop_t* turn) {
                           const std::shared_ptr<JailProcess> alive = shared_from_this();
                           on_process_end(turn);
                         });
      if (wish_ >= Wish::kKill) {
        kill();
      }
      break;
    case ReportKind::kTmpDirectory:
      tmp_directory_ = std::move(passed[0]);
      break;
    case ReportKind::kStarted: {
      const Napi::HandleScope scope(env);
      emit(started_event(env, report));
      break;
    }
    case ReportKind::kFailed:
      fail(Status::failure(report.step, report.error),
           std::string(report.detail, strnlen(report.detail, sizeof(report.detail))));
      break;
    case ReportKind::kEnded:
      end_report_ = report;
      break;
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
    // Of a cell.
    case ReportKind::kCellReady:
    case ReportKind::kStepReady:
    case ReportKind::kStepDone:
    case ReportKind::kStepEnded:
    case ReportKind::kHeadBegan:
    case ReportKind::kHeadLost:
      break;
  }
}

int JailProcess::hand_out_tmp_directory() {
  return owner_.hand_out(std::move(tmp_directory_));
}

Napi::Object JailProcess::end_event(Napi::Env env) {
  const int tmp_directory = hand_out_tmp_directory();
  return ended_event(env, {failure_, failure_detail_, launcher_status_,
                           end_report_ ? &*end_report_ : nullptr, tmp_directory});
}

void JailProcess::emit(const Napi::Object& event) {
  on_event_.MakeCallback(owner_.env().Global(), {event}, context_);
  if (owner_.env().IsExceptionPending()) {
    const Napi::Error error = owner_.env().GetAndClearPendingException();
    napi_fatal_exception(owner_.env(), error.Value());
  }
}

}  // namespace codejail
