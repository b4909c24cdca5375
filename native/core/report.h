// What the launcher tells the server, one message a packet, over a SOCK_SEQPACKET pair.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/step.h"

namespace codejail {

enum class ReportKind : std::uint32_t {
  kNamespaces,    // carries the pidfd of the process that is PID 1 of the jail, and its number
  kTmpDirectory,  // carries the descriptor of the jail's writable directory
  kStarted,
  kFailed,
  kEnded,          // of a cell: with what keeps its filters (seccomp_unotify(2))
  kCellReady,      // a cell's main process waits for its call
  kTemplateEnded,  // no more cells; those that are there go on
  kAttempt,        // of an explained call: what the program tried, and failed to
  kStepReady,      // of a session: a fork has a step's descriptors, and waits for what to run
  kStepDone,       // its code has ended: it waits to be kept or dropped
  kStepEnded,      // its processes are dead
  kHeadBegan,      // a head has a state: a session's first one, or a fork of another one's
  kHeadLost,       // the state of a head is dead: nothing can be run from it any more
};

// What was tried. `detail` is a path, or of a socket its family and type; `error` why it failed.
enum class AttemptKind : std::uint32_t { kOpen, kMakeDirectory, kExec, kSocket, kConnect };

// Why the launcher itself ended the program.
enum class Verdict : std::uint32_t { kNone, kStopped, kCpu, kMemory };

struct Report {
  ReportKind kind;
  Step step;
  std::int32_t error;
  std::int32_t wait_status;
  Verdict verdict;
  AttemptKind attempt;
  // Of a cell, as its supervisor sees it; of kNamespaces, where PID 1 is a child of the server.
  std::int32_t main_process;
  std::int32_t processor;      // of a cell: which it waits on, -1 where that is not known
  std::uint32_t profile_lost;  // 1 where AppArmor did not confine the program to its end
  std::uint32_t head;          // of a session: which, and which step
  std::uint32_t session_step;
  std::uint32_t is_branchable;  // of a step that is done: whether later ones run in forks of it
  std::uint64_t started_ns;     // CLOCK_MONOTONIC
  std::uint64_t user_us;
  std::uint64_t system_us;
  std::uint64_t cpu_us;  // over all of the jail's processes, also those that nobody waited for
  std::uint64_t peak_rss_bytes;
  std::uint64_t peak_sum_bytes;
  std::uint64_t peak_data_bytes;   // of one process, what counts to RLIMIT_DATA, as it was seen
  std::uint64_t peak_stack_bytes;  // of the main process, as it was seen
  // By how much the program went, with what it asked for in one piece, beyond RLIMIT_DATA and
  // RLIMIT_AS; 0 where it was refused nothing.
  std::uint64_t over_data_bytes;
  std::uint64_t over_address_bytes;
  std::uint64_t disk_bytes;
  std::uint64_t disk_files;
  std::uint32_t disk_full;
  std::uint32_t files_full;
  char label[256];   // the AppArmor label that was read back
  char detail[256];  // what a failed step worked on
};

// Descriptors that come with one at most.
constexpr std::size_t kMostReported = 2;

// What the server sends. The end of the stream means that the server is gone.
enum class OrderKind : std::uint32_t {
  kStop,       // end the program and report
  kArm,        // of a cell: its call begins
  kPrepare,    // of a session: pipes of a step of a head, which come along
  kStep,       // the step begins, as is about to come on its request pipe
  kKeep,       // a step that is done is its head's state from now on
  kDrop,       // whatever a step does, it ends, and nothing of it is left
  kFork,       // the fork that waits for that step is another head's state
  kCloseHead,  // nothing of a head is needed any more
};

struct Order {
  OrderKind kind;
  std::int32_t main_process;
  std::uint64_t cpu_us;         // over the whole cell, kUnlimited where there is no limit
  std::uint64_t memory_bytes;   // the same
  std::uint64_t spent_user_us;  // what the main process had used when it became ready
  std::uint64_t spent_system_us;
  std::uint64_t inherited_bytes;  // what it then held of the template's memory
  std::uint32_t head;
  std::uint32_t step;
  std::uint32_t other_head;  // of kFork: the new one's number
  std::uint32_t wants_tmp_directory;
  std::uint32_t most_files;  // that each process may have open
};

}  // namespace codejail
