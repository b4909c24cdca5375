// The states and the steps of a session (core/session.h): children of PID 1 all of them, so that
// each one's end, and what it used, is learned here.
//
// A fork waits ahead of each step, with the step's pipes already: the server prepares them, and is
// told when it is ready; the step then begins with what is written into its request pipe, of which
// the server tells here before.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/report.h"
#include "core/report_channel.h"
#include "core/session.h"
#include "launcher/branch_killer.h"
#include "launcher/branch_limits.h"
#include "launcher/branch_table.h"
#include "launcher/notification.h"
#include "launcher/step_reports.h"

namespace codejail {

class Branches {
 public:
  // All outlive this. `proc`: of the session's PID namespace. `domain`: a ruleset of Landlock's,
  // for steps that have to be apart.
  Branches(const ReportChannel& channel, const Descriptor& proc, const Descriptor& domain)
      : proc_(proc),
        domain_(domain),
        reports_(channel),
        killer_(table_, reports_, proc),
        limits_(killer_) {}

  // As of StepReports and BranchLimits.
  void set_on_report(std::function<void(Report&)> on_report) {
    reports_.set_on_report(std::move(on_report));
  }
  void bound_idle_cpu(std::uint64_t limit_us, std::function<void()> on_over) {
    limits_.bound_idle_cpu(limit_us, std::move(on_over));
  }
  // Looks for orders: what they tell was sent before what a step did by them.
  void set_ask(std::function<void()> ask) { ask_ = std::move(ask); }

  // The session begins: its first process is the state of head 1.
  void begin(pid_t first);
  [[nodiscard]] bool are_over() const { return table_.is_empty(); }
  [[nodiscard]] bool are_busy() const { return table_.is_busy(); }

  // The server's orders. False with errno where a process could not be told.
  [[nodiscard]] bool prepare(const Descriptor& listener, const Order& order,
                             Descriptor (&passed)[kPassedStepFds]);
  void run_step(const Order& order);
  [[nodiscard]] bool keep(const Descriptor& listener, std::uint32_t step);
  void drop(std::uint32_t step, Verdict verdict);
  void fork_head(const Order& order);
  void close_head(std::uint32_t head) { killer_.end_head(head); }

  // As BranchKiller::end_largest.
  [[nodiscard]] bool drop_largest() { return killer_.end_largest(); }
  // What a process of the session asks.
  [[nodiscard]] bool answer(const Descriptor& listener, const Notification& call);
  // A child of PID 1 has been waited for.
  [[nodiscard]] bool take_end(const Descriptor& listener, pid_t process, int status,
                              const rusage& usage);
  // Looks at the CPU of steps, ends what is over its limit or nobody's, and has what could not be
  // forked tried again. When to look again, in milliseconds.
  [[nodiscard]] int look(const Descriptor& listener);

 private:
  [[nodiscard]] bool adopt(const Descriptor& listener, pid_t process, std::uint32_t head);
  [[nodiscard]] bool give(const Descriptor& listener, Branch& branch);
  [[nodiscard]] bool wait_as_state(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool take(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool end_step(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool refuse_strangers(const Descriptor& listener);
  [[nodiscard]] bool refill(const Descriptor& listener, std::uint32_t head);
  [[nodiscard]] bool try_again(const Descriptor& listener, Branch& state);
  void lose(std::uint32_t head);

  const Descriptor& proc_;
  const Descriptor& domain_;
  BranchTable table_;
  StepReports reports_;
  BranchKiller killer_;
  BranchLimits limits_;
  std::function<void()> ask_;
  // Of forks whose state has yet to say that it has made them.
  std::vector<Notification> strangers_;
};

}  // namespace codejail
