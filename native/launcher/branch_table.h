// What PID 1 knows of the processes of a session (core/session.h), and the pipes that wait for one.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "core/descriptor.h"
#include "core/report.h"
#include "core/session.h"
#include "launcher/notification.h"

namespace codejail {

enum class BranchRole {
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
  BranchRole role = BranchRole::kNone;
  pid_t process = 0;
  std::uint32_t head = 0;
  std::uint32_t step = 0;
  bool waits = false;       // in `call`
  bool is_forking = false;  // of a state: it has been told to
  bool stays = false;       // of a state that is the next step itself
  // Since when it has been about to have a child that is not known yet; 0: it is not.
  std::uint64_t cloning_ns = 0;
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
  // Of a step that has ended.
  int wait_status = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;

  // Neither dead nor about to be.
  [[nodiscard]] bool is_alive() const {
    return role != BranchRole::kNone && role != BranchRole::kDying && role != BranchRole::kEnded;
  }
};

// A step's pipes that wait for a fork.
struct PreparedStep {
  std::uint32_t step = 0;  // 0: there are none
  std::uint32_t head = 0;
  std::array<Descriptor, kPassedStepFds> pipes;
};

class BranchTable {
 public:
  [[nodiscard]] std::array<Branch, kMostBranches>& all() { return branches_; }
  [[nodiscard]] const std::array<Branch, kMostBranches>& all() const { return branches_; }
  [[nodiscard]] std::array<PreparedStep, kMostBranches>& prepared() { return prepared_; }

  // Null where there is no room.
  Branch* add(BranchRole role, pid_t process, std::uint32_t head);
  PreparedStep* add_prepared(std::uint32_t step, std::uint32_t head);

  // Null where there is none.
  Branch* find(pid_t process);
  Branch* state_of(std::uint32_t head);
  Branch* step_of(std::uint32_t step);
  PreparedStep* prepared_for(std::uint32_t head);

  [[nodiscard]] bool have(BranchRole role) const;
  // Whether nothing that was known is left.
  [[nodiscard]] bool is_empty() const;
  // Whether anything may use the processor or memory: not what waits for PID 1 or the server.
  [[nodiscard]] bool is_busy() const;
  // Whether a state has been told to make a fork, which has not told of it.
  [[nodiscard]] bool is_forking() const;
  // Then there may be a child of PID 1 that is not known yet, and somebody's.
  [[nodiscard]] bool is_cloning() const;
  [[nodiscard]] bool is_known_root(pid_t process) const;
  [[nodiscard]] bool lives(std::uint32_t head) const;
  // Whether there are pipes of a head for which no fork is on its way.
  [[nodiscard]] bool wants_fork(std::uint32_t head) const;

 private:
  std::array<Branch, kMostBranches> branches_;
  std::array<PreparedStep, kMostBranches> prepared_;
};

}  // namespace codejail
