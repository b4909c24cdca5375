#include "launcher/cell_session.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "core/monotonic_clock.h"
#include "launcher/end_report.h"

namespace codejail {
namespace {

constexpr std::uint64_t kMillisecond = 1000000;
constexpr int kFirstLookMs = 10;

}  // namespace

void CellSession::begin(const Order& arming) {
  Report& report = cell_.report;
  branches_ = std::make_unique<Branches>(cell_.channel, cell_.proc, cell_.domain);
  branches_->bound_idle_cpu(arming.cpu_us, [&report] {
    if (report.verdict == Verdict::kNone) {
      report.verdict = Verdict::kCpu;
    }
  });
  branches_->set_on_report([this](Report& told) {
    told.peak_sum_bytes = cell_.limits.sums().peak_bytes();
    tell_disk(told, cell_.tmp_directory);
  });
  branches_->set_ask(ask_);
  branches_->begin(arming.main_process);
  cell_.limits.set_on_memory([this, &report] {
    if (!branches_->drop_largest() && report.verdict == Verdict::kNone) {
      report.verdict = Verdict::kMemory;
      kill_all();
    }
  });
  cell_.children.set_on_end(
      [this](pid_t process, int status, const rusage& usage) { take_end(process, status, usage); });
}

void CellSession::obey(const Order& order, Descriptor (&passed)[kPassedStepFds]) {
  if (branches_ == nullptr) {
    return;
  }
  const Descriptor& listener = cell_.answers.listener();
  switch (order.kind) {
    case OrderKind::kPrepare:
      require_answer(cell_.channel, branches_->prepare(listener, order, passed));
      break;
    case OrderKind::kStep:
      branches_->run_step(order);
      break;
    case OrderKind::kKeep:
      require_answer(cell_.channel, branches_->keep(listener, order.step));
      break;
    case OrderKind::kDrop:
      branches_->drop(order.step, Verdict::kStopped);
      break;
    case OrderKind::kFork:
      branches_->fork_head(order);
      break;
    case OrderKind::kCloseHead:
      branches_->close_head(order.head);
      break;
    case OrderKind::kArm:
    case OrderKind::kStop:
      break;
  }
}

void CellSession::expect_more() {
  if (branches_ != nullptr) {
    // Most steps are over by then.
    look_within(kFirstLookMs);
  }
}

void CellSession::look_within(int milliseconds) {
  const auto time = static_cast<std::uint64_t>(milliseconds) * kMillisecond;
  due_ns_ = std::min(due_ns_, monotonic_ns() + time);
}

void CellSession::look() {
  if (branches_ == nullptr || monotonic_ns() < due_ns_) {
    return;
  }
  const int sleep_ms = branches_->look(cell_.answers.listener());
  due_ns_ = monotonic_ns() + static_cast<std::uint64_t>(sleep_ms) * kMillisecond;
  end_with_branches();
  if (!branches_->are_busy() && !cell_.children.has_main_ended()) {
    cell_.limits.look();
  }
}

bool CellSession::answer(const Notification& call) {
  // The order that a session begins by was sent before its main process could ask.
  if (call.number() == kSessionCall && branches_ == nullptr) {
    ask_();
  }
  const Descriptor& listener = cell_.answers.listener();
  const bool asks = call.number() == kSessionCall || call.number() == SYS_clone;
  if (branches_ == nullptr) {
    return asks ? call.refuse(listener, EPERM) : call.go_on(listener);
  }
  return asks ? branches_->answer(listener, call) : signals_.answer(listener, call);
}

void CellSession::take_end(pid_t process, int status, const rusage& usage) {
  require_answer(cell_.channel,
                 branches_->take_end(cell_.answers.listener(), process, status, usage));
  last_status_ = status;
  look_within(1);
  end_with_branches();
}

// The session's CPU is each step's.
void CellSession::end_with_branches() {
  if (branches_->are_over() && !cell_.children.has_main_ended()) {
    cell_.children.end_main(last_status_);
  }
}

}  // namespace codejail
