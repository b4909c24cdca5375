// What the launcher tells the server, one message a packet, over a SOCK_SEQPACKET pair.
#pragma once

#include <cstdint>

#include "step.h"

namespace codejail {

enum class ReportKind : std::uint32_t {
  kNamespaces,    // carries the pidfd of the process that is PID 1 of the jail
  kTmpDirectory,  // carries the descriptor of the jail's writable directory
  kStarted,
  kFailed,
  kEnded,
};

// Why the launcher itself ended the program.
enum class Verdict : std::uint32_t { kNone, kStopped, kCpu, kMemory };

struct Report {
  ReportKind kind;
  Step step;
  std::int32_t error;
  std::int32_t wait_status;
  Verdict verdict;
  std::uint32_t killed_by_kernel_oom;
  std::uint64_t started_ns;  // CLOCK_MONOTONIC
  std::uint64_t user_us;
  std::uint64_t system_us;
  std::uint64_t cpu_us;  // over all of the jail's processes, also those that nobody waited for
  std::uint64_t peak_rss_bytes;
  std::uint64_t peak_sum_bytes;
  std::uint64_t disk_bytes;
  std::uint64_t disk_files;
  std::uint32_t disk_full;
  std::uint32_t files_full;
  char label[128];   // the AppArmor label that was read back
  char detail[256];  // what a failed step worked on
};

// What the server sends: any packet asks the launcher to end the program and report.
// The end of the stream means that the server is gone.

}  // namespace codejail
