// What the processes of a session ask of their PID 1, and are told.
//
// The words that are this project's own:
// - state: a process that has what was run so far; steps run in forks of it
// - step: a fork that runs one piece of code; kept, it is the state, dropped, nothing of it is left
// - head: a line of states; a session has one, and one more for each fork of it
//
// They ask by a system call that no kernel has any more (since Linux 3.1), which the filter of
// cells puts to PID 1: it waits until that answers, and then may have more descriptors
// (seccomp_unotify(2)).
#pragma once

#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

namespace codejail {

constexpr int kSessionCall = SYS_nfsservctl;

// Of clone(2), by which a state makes a fork that is a child of PID 1, as itself is: PID 1 is
// asked. CLONE_PARENT, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID and SIGCHLD.
constexpr std::uint32_t kSiblingFlags = 0x00008000U | 0x01000000U | 0x00200000U | 17U;

// The first argument.
enum class SessionAsk : std::uint64_t {
  kWait = 1,  // of a state, with the fork that it has made, or -errno: 0 when it is to make one
  kTake,      // of a fork: 0 when it has a step's descriptors
  kDone,      // of a step: a SessionAnswer when it is kept
};

enum class SessionAnswer : int {
  kFork,  // steps run in forks of this process
  kStay,  // it has threads or children, which no fork has: the next step runs in it
};

// A step's own descriptors, by their numbers in it from kFirstStepFd on.
enum StepFd : std::size_t {
  kStepOutput,
  kStepError,
  kStepRequest,
  kStepResult,
  kStepDomain,  // of Landlock, for a step that has to be apart from all others; PID 1's own
  kStepFds,
};
constexpr int kFirstStepFd = 1;
constexpr std::size_t kPassedStepFds = kStepDomain;

// States, steps and forks of all heads together.
constexpr std::size_t kMostBranches = 160;

}  // namespace codejail
