#include "launcher/process_tree.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/directory.h"
#include "core/microseconds.h"
#include "core/process_memory.h"

namespace codejail {
namespace {

constexpr pid_t kInit = 1;

// The CPU clock of another process, as clock_getcpuclockid(3) makes it: finer than the ticks of
// /proc.
std::uint64_t own_cpu(pid_t process) {
  clockid_t clock = 0;
  timespec time{};
  return clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0
             ? microseconds(time)
             : 0;
}

// The fields of proc(5)'s stat, by their numbers there.
enum Field {
  kState = 3,
  kParent,
  kGroup,
  kUser = 14,
  kSystem,
  kUserWaited,
  kSystemWaited,
  kThreads = 20
};

bool parse(const char* text, ProcessEntry& entry) {
  static const auto kTickUs = static_cast<std::uint64_t>(1000000 / sysconf(_SC_CLK_TCK));
  // The name in parentheses is the program's own choice. The third field comes after it.
  const char* at = std::strrchr(text, ')');
  std::uint64_t waited_ticks = 0;
  for (int field = kState; at != nullptr && field <= kThreads; ++field) {
    at = std::strchr(at + 1, ' ');
    if (at == nullptr) {
      return false;
    }
    switch (field) {
      case kState:
        entry.is_dead = at[1] == 'Z' || at[1] == 'X';
        entry.is_stopped = at[1] == 'T';
        break;
      case kParent:
        entry.parent = static_cast<pid_t>(std::strtol(at, nullptr, 10));
        break;
      case kGroup:
        entry.group = static_cast<pid_t>(std::strtol(at, nullptr, 10));
        break;
      case kUser:
        entry.user_ticks = std::strtoull(at, nullptr, 10);
        break;
      case kSystem:
        entry.system_ticks = std::strtoull(at, nullptr, 10);
        break;
      case kUserWaited:
      case kSystemWaited:
        waited_ticks += std::strtoull(at, nullptr, 10);
        break;
      case kThreads:
        entry.threads = static_cast<unsigned>(std::strtoul(at, nullptr, 10));
        break;
      default:
        break;
    }
  }
  entry.cpu_us = own_cpu(entry.number) + waited_ticks * kTickUs;
  return at != nullptr;
}

}  // namespace

ProcessTree::ProcessTree(int proc) {
  const Directory items =
      directory_of(Descriptor(openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!items) {
    return;
  }
  is_whole_ = true;
  while (const dirent* item = readdir(items.get())) {
    ProcessEntry entry{};
    entry.number = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    if (entry.number <= kInit) {
      continue;
    }
    char path[32];
    char text[1024];
    (void)std::snprintf(path, sizeof(path), "%d/stat", entry.number);
    // One that has ended meanwhile, and was waited for, is not there.
    if (read_text(proc, path, text, sizeof(text)) && parse(text, entry)) {
      processes_.push_back(entry);
    }
  }
}

const ProcessEntry* ProcessTree::find(pid_t process) const {
  const auto found = std::find_if(processes_.begin(), processes_.end(),
                                  [process](const auto& each) { return each.number == process; });
  return found == processes_.end() ? nullptr : &*found;
}

pid_t ProcessTree::root_of(pid_t process) const {
  // Parents may have ended while this was read: never more steps than there are processes.
  for (std::size_t step = 0; step <= processes_.size(); ++step) {
    const ProcessEntry* const entry = find(process);
    if (entry == nullptr) {
      return 0;
    }
    if (entry->parent == kInit) {
      return process;
    }
    process = entry->parent;
  }
  return 0;
}

std::uint64_t ProcessTree::cpu_below(pid_t root) const {
  std::uint64_t sum = 0;
  for (const ProcessEntry& entry : processes_) {
    if (root_of(entry.number) == root) {
      sum += entry.cpu_us;
    }
  }
  return sum;
}

bool ProcessTree::is_alone(pid_t process) const {
  const ProcessEntry* const entry = find(process);
  return is_whole_ && entry != nullptr && entry->threads == 1 &&
         std::none_of(processes_.begin(), processes_.end(),
                      [process](const auto& each) { return each.parent == process; });
}

}  // namespace codejail
