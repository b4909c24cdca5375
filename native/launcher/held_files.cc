#include "held_files.h"

#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "directory.h"

namespace codejail {
namespace {

struct Visitor {
  void (*visit)(void*, const HeldFile&);
  void* context;
};

Directory open_directory(int parent, const char* name) {
  return directory_of(Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
}

// A task that has ended has no files.
bool has_ended(int error) {
  return error == ENOENT || error == ESRCH;
}

bool visit_task(int tasks, const char* task, const Visitor& visitor) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%.20s/fd", task);
  const Directory files = open_directory(tasks, path);
  if (!files) {
    return has_ended(errno);
  }
  const int directory = dirfd(files.get());
  while (const dirent* item = readdir(files.get())) {
    char link[64];
    const ssize_t length = readlinkat(directory, item->d_name, link, sizeof(link) - 1);
    if (length > 0) {
      link[length] = '\0';
      visitor.visit(visitor.context, HeldFile{directory, item->d_name, link});
    }
  }
  return true;
}

bool visit_process(int proc, pid_t process, const Visitor& visitor) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%d/task", process);
  const Directory tasks = open_directory(proc, path);
  if (!tasks) {
    return has_ended(errno);
  }
  bool is_all = true;
  // A thread may have a table of its own (clone(2), CLONE_FILES).
  while (const dirent* task = readdir(tasks.get())) {
    if (task->d_name[0] != '.') {
      is_all = visit_task(dirfd(tasks.get()), task->d_name, visitor) && is_all;
    }
  }
  return is_all;
}

}  // namespace

bool visit_held_files(const Descriptor& proc, void (*visit)(void*, const HeldFile&),
                      void* context) {
  const Directory processes = open_directory(proc.get(), ".");
  if (!processes) {
    return false;
  }
  const Visitor visitor{visit, context};
  const pid_t self = getpid();
  bool is_all = true;
  while (const dirent* item = readdir(processes.get())) {
    const auto process = static_cast<pid_t>(std::strtol(item->d_name, nullptr, 10));
    // In a PID namespace all are the jail's; else those are that this process may signal.
    if (process > 0 && process != self && kill(process, 0) == 0) {
      is_all = visit_process(proc.get(), process, visitor) && is_all;
    }
  }
  return is_all;
}

}  // namespace codejail
