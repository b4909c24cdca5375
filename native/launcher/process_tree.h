// The processes of a jail at one moment: who descends from whom.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "launcher/process_stat.h"

namespace codejail {

struct ProcessEntry : ProcessStat {
  pid_t number;
  std::uint64_t cpu_us;  // its own, and of the children that it has waited for
};

// A child of PID 1 with all that descends from it.
struct Family {
  bool is_alone = false;         // one process with one thread
  std::uint64_t cpu_us = 0;      // of all of them
  std::uint64_t user_ticks = 0;  // of the first one
  std::uint64_t system_ticks = 0;
};

// `proc`: a descriptor of /proc of the PID namespace that this process is PID 1 of. False of one
// that has ended and was waited for.
[[nodiscard]] bool read_process(int proc, pid_t process, ProcessEntry& entry);
// As ProcessTree::family_of, for less where it is alone.
[[nodiscard]] Family family_of(int proc, pid_t root);

class ProcessTree {
 public:
  // `proc`: as of `read_process`.
  explicit ProcessTree(int proc);

  // False where /proc could not be read whole.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] const std::vector<ProcessEntry>& processes() const { return processes_; }
  [[nodiscard]] const ProcessEntry* find(pid_t process) const;
  // The child of PID 1 that it descends from, itself where it is one; 0 of one that is not there.
  [[nodiscard]] pid_t root_of(pid_t process) const;
  [[nodiscard]] Family family_of(pid_t root) const;

 private:
  std::vector<ProcessEntry> processes_;
  bool is_whole_ = false;
};

}  // namespace codejail
