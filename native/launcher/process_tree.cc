#include "launcher/process_tree.h"

#include <fcntl.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "core/directory.h"
#include "core/microseconds.h"

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
    // One that has ended meanwhile, and was waited for, is not there.
    if (read_process_stat(proc, entry.number, entry)) {
      entry.cpu_us = own_cpu(entry.number) + entry.waited_us;
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
