// What /proc/PID/stat tells of a process (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace codejail {

struct ProcessStat {
  pid_t parent;
  pid_t group;
  unsigned threads;
  bool is_dead;        // and not waited for yet
  bool is_leaderless;  // its first thread has ended, which shows as if all of it had
  bool is_stopped;     // by a signal; not known of one that is leaderless
  std::uint64_t user_ticks;
  std::uint64_t system_ticks;
  std::uint64_t waited_us;      // CPU of the children that it has waited for, in whole ticks
  std::uint64_t started_ticks;  // since the host was
};

// False where it has ended, and was waited for. `proc`: a descriptor of /proc.
bool read_process_stat(int proc, pid_t process, ProcessStat& stat);
// Of the file's text. False where that is cut.
bool parse_process_stat(const char* text, ProcessStat& stat);

}  // namespace codejail
