// The session that a cell's call may begin: orders for its branches, and when they are looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/report.h"
#include "core/report_channel.h"
#include "core/session.h"
#include "launcher/answers.h"
#include "launcher/branches.h"
#include "launcher/children.h"
#include "launcher/limits.h"
#include "launcher/step_signals.h"

namespace codejail {

// What a session has of the PID 1 that it belongs to. All of it outlives the session.
struct CellSurroundings {
  Report& report;
  const ReportChannel& channel;
  const Descriptor& proc;
  const Descriptor& domain;
  const Descriptor& tmp_directory;
  Limits& limits;
  Children& children;
  const Answers& answers;
};

class CellSession {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // `ask` looks for orders: what they tell was sent before what a process did by them.
  CellSession(CellSurroundings surroundings, std::function<void()> ask)
      : cell_(surroundings), ask_(std::move(ask)), signals_(surroundings.proc) {}

  // The cell's call begins a session, by the order that arms it.
  void begin(const Order& arming);
  // Whether anything runs that has to be looked at, as in a call that is none. Not where all its
  // processes wait.
  [[nodiscard]] bool may_use_anything() const {
    return branches_ == nullptr || branches_->are_busy();
  }
  // An order for its branches; nothing before it has begun.
  void obey(const Order& order, Descriptor (&passed)[kPassedStepFds]);
  // Whatever was ordered, something may run now.
  void expect_more();
  // The moment of the next look (CLOCK_MONOTONIC).
  [[nodiscard]] std::uint64_t due_ns() const { return due_ns_; }
  // Where that has come.
  void look();
  // What its processes ask, and what signals they send. False with errno where the caller could not
  // be told.
  [[nodiscard]] bool answer(const Notification& call);

 private:
  void look_within(int milliseconds);
  void take_end(pid_t process, int status, const rusage& usage);
  void end_with_branches();

  const CellSurroundings cell_;
  const std::function<void()> ask_;
  const StepSignals signals_;
  // Not on the stack, which is a cell's PID 1's own (supervisor_process.cc).
  std::unique_ptr<Branches> branches_;
  std::uint64_t due_ns_ = kNever;
  int last_status_ = 0;
};

}  // namespace codejail
