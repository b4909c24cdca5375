// The states and the steps of a session (core/session.h): children of PID 1 all of them, so that
// each one's end, and what it used, is learned here.
//
// A fork waits ahead of each step, with the step's pipes already: the server prepares them, and is
// told when it is ready; the step then begins with what is written into its request pipe, of which
// the server tells here before.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/report.h"
#include "core/report_channel.h"
#include "core/session.h"
#include "launcher/notification.h"
#include "launcher/process_tree.h"

namespace codejail {

class Branches {
 public:
  // All outlive this. `proc`: of the session's PID namespace. `domain`: a ruleset of Landlock's,
  // for steps that have to be apart.
  Branches(const ReportChannel& channel, const Descriptor& proc, const Descriptor& domain)
      : channel_(channel), proc_(proc), domain_(domain) {}

  // Completes what a report says of the jail's disk.
  void set_on_report(std::function<void(Report&)> on_report) { on_report_ = std::move(on_report); }
  // Looks for orders: what they tell was sent before what a step did by them.
  void set_ask(std::function<void()> ask) { ask_ = std::move(ask); }

  // What runs between two steps is in no step's CPU: threads that a kept one has left, or whatever
  // its code has made of the process that should wait. It may use as much as a step, else it is
  // told, and ended.
  void bound_idle_cpu(std::uint64_t limit_us, std::function<void()> on_over) {
    idle_limit_us_ = limit_us;
    on_idle_ = std::move(on_over);
  }

  // The session begins: its first process is the state of head 1.
  void begin(pid_t first);
  // Whether no process that was known is left.
  [[nodiscard]] bool are_over() const;
  // Whether anything of it may use the processor or memory: not what waits for PID 1 or the server.
  [[nodiscard]] bool are_busy() const;

  // The server's orders. False with errno where a process could not be told.
  [[nodiscard]] bool prepare(const Descriptor& listener, const Order& order,
                             Descriptor (&passed)[kPassedStepFds]);
  void run_step(const Order& order);
  [[nodiscard]] bool keep(const Descriptor& listener, std::uint32_t step);
  void drop(std::uint32_t step, Verdict verdict);
  void fork_head(const Order& order);
  void close_head(std::uint32_t head);

  // Ends the step that has most memory; false where none runs, and none is about to end.
  [[nodiscard]] bool drop_largest();
  // What a process of the session asks.
  [[nodiscard]] bool answer(const Descriptor& listener, const Notification& call);
  // A child of PID 1 has been waited for.
  [[nodiscard]] bool take_end(const Descriptor& listener, pid_t process, int status,
                              const rusage& usage);
  // Looks at the CPU of steps, ends what is over its limit or nobody's, and has what could not be
  // forked tried again. When to look again, in milliseconds.
  [[nodiscard]] int look(const Descriptor& listener);

 private:
  enum class Role {
    kNone,
    kState,    // has run what was kept, and waits or is about to
    kFork,     // a fork of a state that is on its way, or a state that is the next step itself
    kReady,    // has a step's descriptors, and waits for what to run
    kRunning,  // a step
    kDone,     // a step that waits to be kept or dropped
    kDying,    // killed, and not waited for yet
    kEnded,    // of a step: waited for; what it has left is being ended
  };
  struct Branch {
    Role role = Role::kNone;
    pid_t process = 0;
    std::uint32_t head = 0;
    std::uint32_t step = 0;
    bool waits = false;       // in `call`
    bool is_forking = false;  // of a state: it has been told to
    bool is_cloning = false;  // it is about to have a child that is not known yet
    bool stays = false;       // of a state that is the next step itself
    Notification call;
    Verdict verdict = Verdict::kNone;
    bool is_first = false;       // of a state: its session's first one, which has not waited yet
    std::uint64_t retry_ns = 0;  // of a state that could not fork: when to try again
    int fork_error = 0;
    std::uint64_t idle_from_us = 0;  // what all below it had used when it was to wait
    std::uint64_t cpu_limit_us = 0;
    std::uint64_t cpu_before_us = 0;
    std::uint64_t user_ticks = 0;
    std::uint64_t system_ticks = 0;
    std::uint64_t cpu_us = 0;
    std::uint64_t begun_ns = 0;
    // Of a step that has ended.
    int wait_status = 0;
    std::uint64_t peak_rss_bytes = 0;
    std::uint64_t user_us = 0;
    std::uint64_t system_us = 0;
  };
  // A step's pipes that wait for a fork.
  struct Prepared {
    std::uint32_t step = 0;  // 0: there are none
    std::uint32_t head = 0;
    std::array<Descriptor, kPassedStepFds> pipes;
  };

  [[nodiscard]] bool have(Role role) const;
  Branch* find(pid_t process);
  Branch* state_of(std::uint32_t head);
  Branch* step_of(std::uint32_t step);
  Prepared* prepared_for(std::uint32_t head);
  [[nodiscard]] bool is_forking() const;
  [[nodiscard]] bool is_cloning() const;
  [[nodiscard]] bool is_known_root(pid_t process) const;
  [[nodiscard]] bool adopt(const Descriptor& listener, pid_t process, std::uint32_t head);
  [[nodiscard]] bool give(const Descriptor& listener, Branch& branch);
  [[nodiscard]] bool wait_as_state(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool take(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool end_step(const Descriptor& listener, const Notification& call);
  [[nodiscard]] bool refuse_strangers(const Descriptor& listener);
  [[nodiscard]] bool wants_fork(std::uint32_t head) const;
  [[nodiscard]] bool refill(const Descriptor& listener, std::uint32_t head);
  [[nodiscard]] bool release(const Descriptor& listener, Branch& branch, int answer);
  [[nodiscard]] bool try_again(const Descriptor& listener, Branch& state);
  void look_at_idle(Branch& branch, const ProcessTree& tree);
  void look_at_step(Branch& branch, const ProcessTree& tree);
  static void measure(Branch& branch, const Family& family, Report& report);
  void end(Branch& branch, Verdict verdict);
  void end_waiting(Branch& branch);
  void sweep();
  [[nodiscard]] bool are_others_in(const ProcessTree& tree) const;
  void settle_ended();
  void tell(ReportKind kind, const Branch& branch, Report more) const;
  void tell_unprepared(Prepared& prepared, int error, Verdict verdict);
  void lose(std::uint32_t head);

  const ReportChannel& channel_;
  const Descriptor& proc_;
  const Descriptor& domain_;
  std::function<void(Report&)> on_report_;
  std::function<void()> ask_;
  std::function<void()> on_idle_;
  std::uint64_t idle_limit_us_ = 0;
  std::array<Branch, kMostBranches> branches_;
  std::array<Prepared, kMostBranches> prepared_;
  // Of forks whose state has yet to say that it has made them.
  std::vector<Notification> strangers_;
};

}  // namespace codejail
