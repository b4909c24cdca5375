// What the processes of a jail use, summed over all of them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "directory.h"

namespace codejail {

struct Sample {
  std::uint64_t cpu_us = 0;
  std::uint64_t memory_bytes = 0;
  unsigned processes = 0;
  bool missed = false;  // processes have come and gone unseen since the last sample
};

// Sums over the processes of this PID namespace, without the launcher's memory but with the CPU
// that it was made to spend. Remembers what each process had used when it was last seen: the CPU of
// one whose parent ignores SIGCHLD is in nobody's rusage (wait(2), NOTES).
class UsageSampler {
 public:
  // Opens /proc while no program runs that could bar the way to it.
  UsageSampler();
  // Else every sample is empty.
  [[nodiscard]] bool can_look() const { return proc_ != nullptr; }

  // Of a cell: from now on, without what its main process had used before, and without the memory
  // that each process has from the template.
  void begin_call(pid_t main_process, std::uint64_t spent_us, std::uint64_t inherited_bytes);

  // `exact_above`: from this sum of resident sets on, pages that processes share are counted once,
  // which costs a walk of their page tables.
  Sample take(std::uint64_t exact_above);

 private:
  struct Seen {
    pid_t process;
    std::uint64_t cpu_us;
    bool alive;
  };
  static constexpr unsigned kMaxSeen = 512;

  // The process's entry, a new one where it has not been seen before; null where there is no place.
  Seen* entry(pid_t process, bool& is_new);

  Directory proc_;
  std::uint64_t own_cpu_at_start_us_;
  pid_t main_process_ = 0;
  std::uint64_t spent_us_ = 0;
  std::uint64_t inherited_bytes_ = 0;
  // Not made empty: those behind `count_` would be memory that nobody looks at.
  Seen seen_[kMaxSeen];
  unsigned count_ = 0;
  pid_t newest_seen_ = 0;
  std::uint64_t ended_cpu_us_ = 0;
  // Of the last sample: what those had used that there was no place for.
  std::uint64_t placeless_cpu_us_ = 0;
};

}  // namespace codejail
