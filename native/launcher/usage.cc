#include "launcher/usage.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/descriptor.h"
#include "core/directory.h"
#include "core/microseconds.h"
#include "core/process_memory.h"
#include "core/saturating.h"
#include "launcher/mappings.h"
#include "launcher/pipes.h"
#include "launcher/process_stat.h"

namespace codejail {
namespace {

// The CPU clock of another process, as clock_getcpuclockid(3) makes it: no file to open and parse.
std::uint64_t process_cpu(pid_t process) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return microseconds(time);
}

std::uint64_t own_cpu() {
  timespec time{};
  return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 ? microseconds(time) : 0;
}

// Of the children that this process has waited for, and of theirs.
std::uint64_t children_cpu() {
  rusage usage{};
  return getrusage(RUSAGE_CHILDREN, &usage) == 0
             ? microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
             : 0;
}

// The same of another process's children, in whole ticks.
std::uint64_t children_cpu(int proc, pid_t process) {
  ProcessStat stat{};
  return read_process_stat(proc, process, stat) ? stat.waited_us : 0;
}

// The limit by which a process says what it had used before it was the program. False where it has
// ended.
bool read_word(int proc, pid_t process, rlim_t& word) {
  constexpr char kLine[] = "\nMax file locks";
  char path[32];
  char text[2048];
  (void)std::snprintf(path, sizeof(path), "%d/limits", process);
  const bool is_read = read_text(proc, path, text, sizeof(text));
  const char* line = is_read ? std::strstr(text, kLine) : nullptr;
  if (line == nullptr) {
    return false;
  }
  const char* const begin = line + std::strlen(kLine);
  char* end = nullptr;
  const rlim_t number = std::strtoull(begin, &end, 10);
  word = end == begin ? RLIM_INFINITY : number;  // "unlimited"
  return true;
}

// The proportional set: a page that n processes share counts 1/n in each. False where the process
// has made itself unreadable.
bool proportional_bytes(int proc, pid_t process, std::uint64_t& bytes) {
  char path[64];
  char text[4096];
  (void)std::snprintf(path, sizeof(path), "%d/status", process);
  bool found = read_text(proc, path, text, sizeof(text));
  const std::uint64_t tables = found ? bytes_of(text, "\nVmPTE:", found) : 0;
  (void)std::snprintf(path, sizeof(path), "%d/smaps_rollup", process);
  if (!found || !read_text(proc, path, text, sizeof(text))) {
    return false;
  }
  bytes = tables + bytes_of(text, "\nPss_Anon:", found) + bytes_of(text, "\nPss_Shmem:", found) +
          bytes_of(text, "\nSwapPss:", found);
  return found;
}

}  // namespace

UsageSampler::UsageSampler()
    : proc_(opendir("/proc")), own_at_start_us_(own_cpu()), children_at_start_us_(children_cpu()) {}

void UsageSampler::begin(pid_t main_process, std::uint64_t spent_us,
                         std::uint64_t inherited_bytes) {
  main_process_ = main_process;
  newest_seen_ = main_process;
  spent_us_ = spent_us;
  inherited_bytes_ = inherited_bytes;
  own_at_start_us_ = own_cpu();
  children_at_start_us_ = children_cpu();
  sampling_us_ = 0;
}

void UsageSampler::set_most_files(std::uint64_t most) {
  // A call that waits says how many numbers it looks at, which may be more than are open.
  constexpr std::uint64_t kPlenty = 4096;
  most_files_ = std::min(most, kPlenty);
}

std::uint64_t UsageSampler::own_us() const {
  return saturating_difference(own_cpu(), own_at_start_us_);
}

void UsageSampler::learn_spent(std::uint64_t used_us) {
  rlimit own{};
  rlim_t word = RLIM_INFINITY;
  if (!read_word(dirfd(proc_.get()), main_process_, word) || getrlimit(RLIMIT_LOCKS, &own) != 0) {
    return;
  }
  // A limit that both have inherited says nothing: it is not the program yet.
  knows_spent_ = word < own.rlim_cur;
  spent_us_ = knows_spent_ ? word : used_us;
}

UsageSampler::Seen* UsageSampler::entry(pid_t process, bool& is_new) {
  unsigned free_place = kMaxSeen;
  for (unsigned i = 0; i < count_; ++i) {
    if (seen_[i].process == process) {
      is_new = false;
      return &seen_[i];
    }
    if (seen_[i].process == 0) {
      free_place = i;
    }
  }
  is_new = true;
  if (free_place == kMaxSeen) {
    if (count_ == kMaxSeen) {
      return nullptr;
    }
    free_place = count_++;
  }
  seen_[free_place] = Seen{process, 0, true, false, 0, 0};
  return &seen_[free_place];
}

// Some ten thousand mappings can be made in this time, or copied by a fork.
constexpr std::uint64_t kMappingRoundUs = 20000;

void UsageSampler::count_mappings(Seen& seen, std::uint64_t resident_bytes) {
  const bool is_worth_it = seen.cpu_us >= seen.mapped_us + kMappingRoundUs || is_counting_due_ ||
                           (has_many_mappings_ && !seen.is_mapped);
  if (!is_worth_it || resident_bytes == 0) {
    return;
  }
  seen.is_mapped = true;
  seen.mapped_us = seen.cpu_us;
  if (!read_mapping_bytes(dirfd(proc_.get()), seen.process, seen.mapping_bytes)) {
    // One that has made itself unreadable. It takes a microsecond to make one.
    seen.mapping_bytes = mapping_bytes(std::min(kMostMappings, last_cpu_us_));
  }
  has_many_mappings_ = has_many_mappings_ || seen.mapping_bytes > 0;
}

// Some two hundred pipes can be made and filled in this time.
constexpr std::uint64_t kPipeRoundUs = 4000;
// To go through many processes takes long: no more than this part of the jail's own time.
constexpr std::uint64_t kPipeShare = 8;

void UsageSampler::count_pipes() {
  if (last_cpu_us_ >= pipes_due_at_us_) {
    const std::uint64_t before = own_cpu();
    pipe_bytes_ = pipe_bytes(dirfd(proc_.get()), most_files_);
    pipes_due_at_us_ = last_cpu_us_ + std::max(kPipeRoundUs, kPipeShare * (own_cpu() - before));
  }
}

Sample UsageSampler::take(std::uint64_t exact_above) {
  Sample sample;
  for (unsigned i = 0; i < count_; ++i) {
    seen_[i].alive = false;
  }
  std::uint64_t placeless_bytes = 0;
  std::uint64_t placeless_cpu_us = 0;
  std::uint64_t newly_placed_cpu_us = 0;
  if (!proc_) {
    return sample;
  }
  const std::uint64_t behalf_us = saturating_difference(own_us(), sampling_us_);
  rewinddir(proc_.get());
  const int proc = dirfd(proc_.get());
  const pid_t self = getpid();
  pid_t newest = 0;
  unsigned newcomers = 0;
  bool wrapped = false;  // the numbers have begun again from the lowest
  is_counting_due_ = last_cpu_us_ >= counted_at_us_ + kMappingRoundUs;
  if (is_counting_due_) {
    counted_at_us_ = last_cpu_us_;
  }
  count_pipes();
  sample.memory_bytes += pipe_bytes_;
  std::uint64_t all_mapping_bytes = 0;
  // Nothing is counted twice: what was waited for is read before what lives, of a parent before its
  // children, whose numbers are higher as a rule.
  std::uint64_t waited_us = saturating_difference(children_cpu(), children_at_start_us_);
  if (has_main_ended_) {
    waited_us = saturating_difference(waited_us, spent_us_);
  }
  while (const dirent* item = readdir(proc_.get())) {
    const auto process = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    if (process <= 0) {
      continue;
    }
    // In a PID namespace all are the jail's; else those are that this process may signal.
    if (process == self || kill(process, 0) != 0) {
      continue;
    }
    waited_us += children_cpu(proc, process);
    std::uint64_t cpu = process_cpu(process);
    if (process == main_process_) {
      if (!knows_spent_) {
        learn_spent(cpu);
      }
      cpu = saturating_difference(cpu, spent_us_);
    }
    sample.cpu_us += cpu;
    newest = process > newest ? process : newest;
    newcomers += process > newest_seen_ ? 1 : 0;
    bool is_new = false;
    Seen* const seen = entry(process, is_new);
    wrapped = wrapped || (is_new && process < newest_seen_);
    const Memory memory = memory_of(proc, process);
    const std::uint64_t resident = memory.resident_bytes;
    sample.data_bytes = std::max(sample.data_bytes, memory.data_bytes);
    if (process == main_process_) {
      sample.stack_bytes = memory.stack_bytes;
    }
    const std::uint64_t own = saturating_difference(resident, inherited_bytes_);
    sample.memory_bytes += own;
    ++sample.processes;
    if (seen == nullptr) {
      placeless_bytes += own;
      placeless_cpu_us += cpu;
      continue;
    }
    newly_placed_cpu_us += is_new ? cpu : 0;
    seen->alive = true;
    if (cpu < seen->cpu_us) {
      // The number has been given to a new process meanwhile.
      ended_cpu_us_ += seen->cpu_us;
      *seen = Seen{process, 0, true, false, 0, 0};
    }
    seen->cpu_us = cpu;
    // Beyond the limit nothing more needs to be known.
    if (sample.memory_bytes <= exact_above) {
      count_mappings(*seen, resident);
    }
    sample.memory_bytes += seen->mapping_bytes;
    all_mapping_bytes += seen->mapping_bytes;
  }
  // Whoever had no place has still none, has got one, or has ended: so much is of these at least.
  if (placeless_cpu_us_ > placeless_cpu_us + newly_placed_cpu_us) {
    ended_cpu_us_ += placeless_cpu_us_ - placeless_cpu_us - newly_placed_cpu_us;
  }
  placeless_cpu_us_ = placeless_cpu_us;
  for (unsigned i = 0; i < count_; ++i) {
    if (!seen_[i].alive && seen_[i].process != 0) {
      ended_cpu_us_ += seen_[i].cpu_us;
      seen_[i] = Seen{};
    }
  }
  // Numbers are handed out in order: those that are missing came and went between two samples.
  sample.missed = wrapped || newest > newest_seen_ + static_cast<pid_t>(newcomers);
  newest_seen_ = wrapped || newest > newest_seen_ ? newest : newest_seen_;
  // Each is less than the truth, and neither is a part of the other.
  waited_cpu_us_ = std::max(waited_cpu_us_, waited_us);
  sample.cpu_us += std::max(ended_cpu_us_, waited_cpu_us_);
  // What the jail makes this process do for it is the jail's: not together with its own, which it
  // has all of its limit for, and not what the samples take.
  sample.cpu_us = std::max(sample.cpu_us, behalf_us);
  if (sample.memory_bytes > exact_above && sample.processes > 1) {
    // Rather too much than too little of those without a place.
    std::uint64_t exact = placeless_bytes + all_mapping_bytes + pipe_bytes_;
    for (unsigned i = 0; i < count_; ++i) {
      std::uint64_t bytes = 0;
      if (seen_[i].process != 0) {
        exact += proportional_bytes(proc, seen_[i].process, bytes)
                     ? bytes
                     : memory_of(proc, seen_[i].process).resident_bytes;
      }
    }
    sample.memory_bytes = exact;
  }
  last_cpu_us_ = sample.cpu_us;
  sampling_us_ = saturating_difference(own_us(), behalf_us);
  return sample;
}

}  // namespace codejail
