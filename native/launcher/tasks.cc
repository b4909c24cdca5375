#include "launcher/tasks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/directory.h"

namespace codejail {
namespace {

struct Visitor {
  bool (*visit)(void*, const Task&);
  void* context;
};

Directory open_directory(int parent, const char* name) {
  return directory_of(Descriptor(openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
}

bool visit_process(int proc, pid_t process, const Visitor& visitor) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%d/task", process);
  const Directory tasks = open_directory(proc, path);
  if (!tasks) {
    return is_of_ended_task(errno);
  }
  // proc(5): a subdirectory for each thread.
  struct stat status {};
  const bool has_siblings = fstat(dirfd(tasks.get()), &status) != 0 || status.st_nlink > 3;
  bool is_all = true;
  while (const dirent* task = readdir(tasks.get())) {
    if (task->d_name[0] != '.') {
      const Task found{dirfd(tasks.get()), task->d_name, has_siblings};
      is_all = visitor.visit(visitor.context, found) && is_all;
    }
  }
  return is_all;
}

}  // namespace

bool is_of_ended_task(int error) {
  return error == ENOENT || error == ESRCH;
}

bool visit_tasks(int proc, bool (*visit)(void*, const Task&), void* context) {
  const Directory processes = open_directory(proc, ".");
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
      is_all = visit_process(proc, process, visitor) && is_all;
    }
  }
  return is_all;
}

}  // namespace codejail
