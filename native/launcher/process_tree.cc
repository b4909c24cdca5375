#include "launcher/process_tree.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
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

// Whether a process has one thread, and that no child (proc_pid_children(5)). False as well where
// this kernel does not tell.
bool read_lone_process(int proc, pid_t process, ProcessEntry& entry) {
  char path[64];
  char first = 0;
  (void)std::snprintf(path, sizeof(path), "%d/task/%d/children", process, process);
  const Descriptor children(openat(proc, path, O_RDONLY | O_CLOEXEC));
  // Its threads first: the children of one that has ended are in another one's list.
  return children.valid() && read_process(proc, process, entry) && entry.threads == 1 &&
         read(children.get(), &first, sizeof(first)) == 0;
}

}  // namespace

bool read_process(int proc, pid_t process, ProcessEntry& entry) {
  entry = {};
  entry.number = process;
  if (!read_process_stat(proc, process, entry)) {
    return false;
  }
  entry.cpu_us = own_cpu(process) + entry.waited_us;
  return true;
}

Family family_of(int proc, pid_t root) {
  ProcessEntry lone{};
  return read_lone_process(proc, root, lone)
             ? Family{true, lone.cpu_us, lone.user_ticks, lone.system_ticks}
             : ProcessTree(proc).family_of(root);
}

ProcessTree::ProcessTree(int proc) {
  const Directory items =
      directory_of(Descriptor(openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!items) {
    return;
  }
  is_whole_ = true;
  while (const dirent* item = readdir(items.get())) {
    const auto process = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    ProcessEntry entry{};
    // One that has ended meanwhile, and was waited for, is not there.
    if (process > kInit && read_process(proc, process, entry)) {
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

Family ProcessTree::family_of(pid_t root) const {
  Family family;
  for (const ProcessEntry& entry : processes_) {
    if (root_of(entry.number) == root) {
      family.cpu_us += entry.cpu_us;
    }
  }
  const ProcessEntry* const own = find(root);
  if (own != nullptr) {
    family.user_ticks = own->user_ticks;
    family.system_ticks = own->system_ticks;
    family.is_alone = is_whole_ && own->threads == 1 &&
                      std::none_of(processes_.begin(), processes_.end(),
                                   [root](const auto& each) { return each.parent == root; });
  }
  return family;
}

}  // namespace codejail
