#include "usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "descriptor.h"

namespace codejail {
namespace {

std::uint64_t microseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000U +
         static_cast<std::uint64_t>(time.tv_nsec) / 1000U;
}

// The CPU clock of another process, as clock_getcpuclockid(3) makes it: no file to open and parse.
std::uint64_t process_cpu(pid_t process) {
  clockid_t clock = 0;
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return 0;
  }
  return microseconds(time);
}

bool read_text(pid_t process, const char* name, char* text, std::size_t size) {
  char path[64];
  (void)std::snprintf(path, sizeof(path), "/proc/%d/%s", process, name);
  Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return false;
  }
  const ssize_t count = read(file.get(), text, size - 1);
  if (count <= 0) {
    return false;
  }
  text[count] = '\0';
  return true;
}

std::uint64_t kilobytes_after(const char* text, const char* name, bool& found) {
  const char* line = std::strstr(text, name);
  found = found && line != nullptr;
  return line == nullptr ? 0 : std::strtoull(line + std::strlen(name), nullptr, 10) * 1024U;
}

// Anonymous and shared memory; the pages of libraries are the host's and cost the jail nothing.
std::uint64_t resident_bytes(pid_t process) {
  char text[2048];
  bool found = read_text(process, "status", text, sizeof(text));
  return found
             ? kilobytes_after(text, "RssAnon:", found) + kilobytes_after(text, "RssShmem:", found)
             : 0;
}

// The proportional set: a page that n processes share counts 1/n in each. False where the process
// has made itself unreadable.
bool proportional_bytes(pid_t process, std::uint64_t& bytes) {
  char text[2048];
  if (!read_text(process, "smaps_rollup", text, sizeof(text))) {
    return false;
  }
  bool found = true;
  bytes = kilobytes_after(text, "Pss_Anon:", found) + kilobytes_after(text, "Pss_Shmem:", found);
  return found;
}

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

}  // namespace

UsageSampler::UsageSampler() : own_cpu_at_start_us_(process_cpu(getpid())) {}

UsageSampler::Seen& UsageSampler::entry(pid_t process) {
  unsigned free_place = kMaxSeen;
  for (unsigned i = 0; i < count_; ++i) {
    if (seen_[i].process == process) {
      return seen_[i];
    }
    if (seen_[i].process == 0) {
      free_place = i;
    }
  }
  if (free_place == kMaxSeen) {
    free_place = count_ < kMaxSeen ? count_++ : kMaxSeen - 1;
  }
  seen_[free_place] = Seen{process, 0, true};
  return seen_[free_place];
}

Sample UsageSampler::take(std::uint64_t exact_above) {
  Sample sample;
  for (unsigned i = 0; i < count_; ++i) {
    seen_[i].alive = false;
  }
  std::uint64_t exact = 0;
  std::unique_ptr<DIR, DirectoryCloser> proc(opendir("/proc"));
  if (!proc) {
    return sample;
  }
  const pid_t self = getpid();
  while (const dirent* item = readdir(proc.get())) {
    const auto process = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    if (process <= 0) {
      continue;
    }
    const std::uint64_t cpu = process_cpu(process);
    if (process == self) {
      // What the jail makes the launcher do for it is the jail's, the set-up is not.
      sample.cpu_us += cpu - own_cpu_at_start_us_;
      continue;
    }
    // In a PID namespace all are the jail's; else those are that this process may signal.
    if (kill(process, 0) != 0) {
      continue;
    }
    sample.cpu_us += cpu;
    Seen& seen = entry(process);
    seen.alive = true;
    if (cpu < seen.cpu_us) {
      // The number has been given to a new process meanwhile.
      ended_cpu_us_ += seen.cpu_us;
    }
    seen.cpu_us = cpu;
    sample.memory_bytes += resident_bytes(process);
    ++sample.processes;
  }
  for (unsigned i = 0; i < count_; ++i) {
    if (!seen_[i].alive && seen_[i].process != 0) {
      ended_cpu_us_ += seen_[i].cpu_us;
      seen_[i] = Seen{};
    }
  }
  sample.cpu_us += ended_cpu_us_;
  if (sample.memory_bytes > exact_above && sample.processes > 1) {
    for (unsigned i = 0; i < count_; ++i) {
      std::uint64_t bytes = 0;
      if (seen_[i].process != 0) {
        exact +=
            proportional_bytes(seen_[i].process, bytes) ? bytes : resident_bytes(seen_[i].process);
      }
    }
    sample.memory_bytes = exact;
  }
  return sample;
}

}  // namespace codejail
