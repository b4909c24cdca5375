#include "addon/cell_process.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "addon/jail_processes.h"
#include "addon/pidfd.h"
#include "addon/report_receiver.h"
#include "addon/session_steps.h"

namespace codejail {
namespace {

// Whether nothing is left in a pipe, and nobody can write to it any more.
bool is_at_end(int pipe) {
  pollfd event{pipe, POLLIN, 0};
  return poll(&event, 1, 0) == 1 && event.revents == POLLHUP;
}

}  // namespace

CellProcess::CellProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                         Napi::Function on_event, CellEnds ends,
                         const std::array<int, kOutputCount>& outputs)
    : JailProcess(owner, id, std::move(report), on_event, State::kRunning),
      end_(std::move(ends.end)),
      lifeline_(std::move(ends.lifeline)),
      call_(owner.poller(), std::move(ends.timerfd), outputs,
            [this](std::size_t first, std::size_t last) {
              const std::shared_ptr<JailProcess> alive = shared_from_this();
              read_outputs(first, last);
            }) {}

CellProcess::~CellProcess() {
  stop_all();
}

void CellProcess::watch_end() {
  end_watch_.start(owner().poller(), end_.get(), Poller::kReadable, [this](uv_loop_t* turn) {
    const std::shared_ptr<JailProcess> alive = shared_from_this();
    read_reports(turn);
  });
}

ssize_t CellProcess::begin_call(uv_loop_t* loop, const CellCall::Start& start) {
  const ssize_t written = call_.begin(loop, report_channel_, start);
  // The end is told by the eventfd. Not a descriptor: those that nobody has taken yet count for the
  // user (unix(7)).
  if (start.order.head != 0) {
    is_session_ = true;
    call_.wake_supervisor();
  } else if (start.order.wants_tmp_directory == 0) {
    report_watch_.stop();
  }
  return written;
}

bool CellProcess::prepare_step(const Order& order, Descriptor& request) {
  std::shared_ptr<StepPipes> pipes =
      StepPipes::make(owner().poller(), report_channel_, order, request,
                      [this, step = order.step](std::size_t first, std::size_t last) {
                        const std::shared_ptr<JailProcess> alive = shared_from_this();
                        (void)read_step(step, first, last);
                      });
  if (pipes == nullptr) {
    return false;
  }
  steps_[order.step] = std::move(pipes);
  return true;
}

bool CellProcess::tell_step(const Order& order) {
  return send_order(report_channel_, order);
}

void CellProcess::ask_to_stop() {
  JailProcess::ask_to_stop();
  call_.wake_supervisor();
}

void CellProcess::kill() {
  raise(Wish::kKill);
  supervisor_.kill();
}

void CellProcess::hold_loop(bool held) {
  JailProcess::hold_loop(held);
  end_watch_.hold_loop(held);
}

void CellProcess::stop_all() {
  call_.stop();
  steps_.clear();
  stop_watches();
  end_watch_.stop();
}

void CellProcess::take_report(const Report& report, Descriptor (&passed)[kMostReported]) {
  JailProcess::take_report(report, passed);
  switch (report.kind) {
    case ReportKind::kTmpDirectory:
      if (is_session_) {
        const Napi::HandleScope scope(owner().env());
        emit(session_event(owner().env(), hand_out_tmp_directory()));
      } else {
        report_watch_.stop();
      }
      break;
    case ReportKind::kStepReady:
    case ReportKind::kStepDone:
    case ReportKind::kStepEnded:
    case ReportKind::kHeadBegan:
    case ReportKind::kHeadLost:
      take_step_report(report);
      break;
    case ReportKind::kFailed:
      // The template's word: the cell's PID 1 waits for a main process that will never come.
      kill();
      break;
    case ReportKind::kEnded:
      std::move(passed, passed + kMostReported, filter_listeners_);
      // Its PID 1 is the last one, and about to end: JavaScript has work to do meanwhile.
      report_watch_.stop();
      end_watch_.stop();
      state_ = State::kTold;
      announce_end();
      break;
    case ReportKind::kCellReady: {
      call_.stand_by(report, supervisor_.pidfd());
      const Napi::HandleScope scope(owner().env());
      emit(ready_event(owner().env(), report));
      break;
    }
    case ReportKind::kNamespaces:
    case ReportKind::kStarted:
    case ReportKind::kAttempt:
    case ReportKind::kTemplateEnded:
      break;
  }
}

void CellProcess::on_silence() {
  if (!supervisor_.is_known()) {
    // Its nursery ended before there was a process.
    finish();
  }
}

template <typename OnRead>
bool CellProcess::read_chunks(CellOutputs& outputs, std::size_t first, std::size_t end,
                              OutputNews& news, OnRead on_read) {
  for (std::size_t output = first; output < end; ++output) {
    if (!outputs.is_open(output)) {
      continue;
    }
    Napi::Buffer<char>& chunk = news.chunks[output];
    const ssize_t count = owner().read_chunk(outputs.descriptor(output), chunk);
    if (count > 0 && chunk.IsEmpty()) {
      // There is no memory for it, as in a worker that is being terminated: rather none than less.
      const Napi::Env env = owner().env();
      if (env.IsExceptionPending()) {
        (void)env.GetAndClearPendingException();
      }
      kill();
      return false;
    }
    on_read(output, count);
  }
  return true;
}

void CellProcess::read_outputs(std::size_t first, std::size_t end) {
  const Napi::Env env = owner().env();
  const Napi::HandleScope scope(env);
  CellOutputs& outputs = call_.outputs();
  OutputNews news;
  bool has_news = false;
  (void)read_chunks(outputs, first, end, news, [&](std::size_t output, ssize_t count) {
    has_news = has_news || count >= 0;
    const int descriptor = outputs.descriptor(output);
    // As a rule the end comes with the last of it.
    if (count == 0 || (count > 0 && is_at_end(descriptor))) {
      outputs.stop(output);
      owner().take_back(descriptor);
      news.have_ended[output] = true;
    }
  });
  if (has_news) {
    emit(outputs_event(env, news));
  }
}

bool CellProcess::read_step(std::uint32_t step, std::size_t first, std::size_t end) {
  const auto found = steps_.find(step);
  if (found == steps_.end()) {
    return false;
  }
  const std::shared_ptr<StepPipes> pipes = found->second;
  const Napi::Env env = owner().env();
  const Napi::HandleScope scope(env);
  OutputNews news;
  bool has_news = false;
  const bool is_whole =
      read_chunks(pipes->outputs(), first, end, news, [&](std::size_t output, ssize_t count) {
        has_news = has_news || count > 0;
        if (count == 0) {
          pipes->close(output);
        }
      });
  if (!is_whole || !has_news) {
    return false;
  }
  emit(step_outputs_event(env, step, news));
  return true;
}

void CellProcess::take_step_report(const Report& report) {
  if (report.kind == ReportKind::kStepDone || report.kind == ReportKind::kStepEnded) {
    // What it has written is there already, and comes first: all that a pipe holds, and no more,
    // since somebody whom it has left may go on writing.
    (void)read_step(report.session_step, 0, kOutputCount);
    steps_.erase(report.session_step);
  } else if (report.kind == ReportKind::kHeadBegan) {
    steps_.erase(report.session_step);
  }
  const Napi::HandleScope scope(owner().env());
  emit(step_event(owner().env(), report));
}

void CellProcess::on_process_end(uv_loop_t* loop) {
  if (state_ == State::kOver) {
    // It was seen already; what is held is about to be given back.
    stop_all();
    return;
  }
  supervisor_.look(launcher_status_);
  read_reports(loop);
  if (!supervisor_.lives()) {
    finish();
  }
}

void CellProcess::announce_end() {
  if (call_.has_begun() && !is_session_) {
    owner().call_ends();
  }
  // What is left in the pipes is JavaScript's to read, and to close.
  call_.stop();
  const Napi::Env env = owner().env();
  const Napi::HandleScope scope(env);
  emit(end_event(env));
}

bool CellProcess::is_gone() {
  if (state_ < State::kTold || !wait_for_end(supervisor_.pidfd(), 0)) {
    return false;
  }
  state_ = State::kOver;
  return true;
}

void CellProcess::finish() {
  if (state_ == State::kOver) {
    return;
  }
  const bool is_told = state_ == State::kTold;
  state_ = State::kOver;
  stop_all();
  if (!supervisor_.is_known()) {
    // The end of it ends a PID 1 that this server could not be told of. What else a cell has is
    // given back when its caller has the result.
    report_channel_.reset();
  }
  if (!is_told) {
    announce_end();
  }
  const Napi::HandleScope scope(owner().env());
  emit(plain_event(owner().env(), "gone"));
}

void CellProcess::let_go() {
  if (state_ != State::kOver) {
    return;
  }
  stop_all();
  report_channel_.reset();
  end_.reset();
  lifeline_.reset();
  for (Descriptor& listener : filter_listeners_) {
    listener.reset();
  }
  supervisor_.forget();
  // Who has called this holds it still.
  owner().remove(id());
}

void CellProcess::end_now() {
  stop_all();
  Report last{};
  (void)drain_reports(last);
  if (supervisor_.is_known()) {
    supervisor_.kill();
    wait_for_end(supervisor_.pidfd());
  }
  report_channel_.reset();
}

}  // namespace codejail
