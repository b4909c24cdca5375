// What the processes of a jail use, summed over all of them.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/directory.h"

namespace codejail {

struct Sample {
  std::uint64_t cpu_us = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t data_bytes = 0;   // of the process that has most, what counts to RLIMIT_DATA
  std::uint64_t stack_bytes = 0;  // the main process's
  unsigned processes = 0;
  bool missed = false;  // processes have come and gone unseen since the last sample
};

// Sums over the processes of this PID namespace. What the kernel adds up of processes that
// were waited for is in it, also of those that lived between two samples. It remembers what each
// had used when it was last seen, too: the CPU of one whose parent ignores SIGCHLD is in nobody's
// rusage (wait(2), NOTES). The launcher's memory is not in it, nor its CPU, unless that alone is
// more.
class UsageSampler {
 public:
  // Opens /proc while no program runs that could bar the way to it.
  UsageSampler();
  // Else every sample is empty.
  [[nodiscard]] bool can_look() const { return proc_ != nullptr; }

  // The program begins, or the call of a cell: from now on, without what its main process had used
  // before it was the program's, as it says itself (native/core/resource_limits.cc), and without
  // the memory that each process has from the template. `spent_us`: what is known of that so far.
  void begin(pid_t main_process, std::uint64_t spent_us, std::uint64_t inherited_bytes);
  // How many files each process may have open: no more than that are waited for at a time.
  void set_most_files(std::uint64_t most);
  // The main process has been waited for.
  void end_main_process() { has_main_ended_ = true; }

  // `exact_above`: from this sum of resident sets on, pages that processes share are counted once,
  // which costs a walk of their page tables.
  Sample take(std::uint64_t exact_above);

  // What this process has used since the beginning, and the main process before it.
  [[nodiscard]] std::uint64_t own_us() const;
  [[nodiscard]] std::uint64_t spent_us() const { return spent_us_; }

 private:
  struct Seen {
    pid_t process;
    std::uint64_t cpu_us;
    bool alive;
    bool is_mapped;  // its mappings were counted, when it had used `mapped_us`
    std::uint64_t mapped_us;
    std::uint64_t mapping_bytes;
  };
  static constexpr unsigned kMaxSeen = 512;

  // The process's entry, a new one where it has not been seen before; null where there is no place.
  Seen* entry(pid_t process, bool& is_new);
  void learn_spent(std::uint64_t used_us);
  void count_mappings(Seen& seen, std::uint64_t resident_bytes);
  void count_pipes();

  Directory proc_;
  std::uint64_t own_at_start_us_;
  std::uint64_t children_at_start_us_;
  std::uint64_t sampling_us_ = 0;  // of this process's own, what samples took
  pid_t main_process_ = 0;
  bool has_main_ended_ = false;
  std::uint64_t spent_us_ = 0;
  bool knows_spent_ = false;
  std::uint64_t inherited_bytes_ = 0;
  std::uint64_t most_files_ = 0;
  // Not made empty: those behind `count_` would be memory that nobody looks at.
  Seen seen_[kMaxSeen];
  unsigned count_ = 0;
  // To make mappings or pipes takes CPU: they are counted anew when so much was used that there may
  // be more.
  std::uint64_t last_cpu_us_ = 0;
  std::uint64_t counted_at_us_ = 0;
  bool is_counting_due_ = false;
  bool has_many_mappings_ = false;
  std::uint64_t pipes_due_at_us_ = 1;  // not before anything runs
  std::uint64_t pipe_bytes_ = 0;
  pid_t newest_seen_ = 0;
  std::uint64_t ended_cpu_us_ = 0;
  // The most that the kernel has added up of those that were waited for.
  std::uint64_t waited_cpu_us_ = 0;
  // Of the last sample: what those had used that there was no place for.
  std::uint64_t placeless_cpu_us_ = 0;
};

}  // namespace codejail
