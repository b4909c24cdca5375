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

class ProcessTree {
 public:
  // `proc`: a descriptor of /proc of the PID namespace that this process is PID 1 of.
  explicit ProcessTree(int proc);

  // False where /proc could not be read whole.
  [[nodiscard]] bool is_whole() const { return is_whole_; }
  [[nodiscard]] const std::vector<ProcessEntry>& processes() const { return processes_; }
  [[nodiscard]] const ProcessEntry* find(pid_t process) const;
  // The child of PID 1 that it descends from, itself where it is one; 0 of one that is not there.
  [[nodiscard]] pid_t root_of(pid_t process) const;
  // CPU of a child of PID 1 and of all that descend from it.
  [[nodiscard]] std::uint64_t cpu_below(pid_t root) const;
  // Whether a process has no other thread and no child.
  [[nodiscard]] bool is_alone(pid_t process) const;

 private:
  std::vector<ProcessEntry> processes_;
  bool is_whole_ = false;
};

}  // namespace codejail
