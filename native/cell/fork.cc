#include "cell/fork.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "cell/keeper.h"
#include "cell/python.h"

namespace codejail {
namespace {

// proc(5): the directory has one subdirectory for each thread.
bool has_other_threads() {
  struct stat status {};
  return stat("/proc/self/task", &status) != 0 || status.st_nlink != 3;
}

// As it was before `leave_children_to_kernel`, for the cells.
struct sigaction child_action {};

}  // namespace

bool leave_children_to_kernel() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  return sigaction(SIGCHLD, &ignore, &child_action) == 0;
}

Status fork_into(const Descriptor& pid_namespace, const Descriptor& mounts,
                 const Descriptor& lifeline, const ReportChannel& channel, Forked& forked) {
  forked = {};
  if (has_other_threads()) {
    return Status::failure(Step::kForkCell, EBUSY, "the template has a second thread");
  }
  python().before_fork();
  const pid_t child = fork();
  if (child != 0) {
    const int error = errno;
    python().after_fork_parent();
    return child > 0 ? Status::success() : Status::failure(Step::kForkCell, error);
  }
  if (sigaction(SIGCHLD, &child_action, nullptr) != 0) {
    channel.fail(Status::failure(Step::kForkCell, errno, "SIGCHLD"));
  }
  forked.between = become_keeper(pid_namespace, mounts, lifeline, channel);
  forked.in_cell = true;
  return Status::success();
}

pid_t fork_apart() {
  const Descriptor own(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  if (has_other_threads() || !own.valid() || unshare(CLONE_NEWPID) != 0) {
    return -1;
  }
  python().before_fork();
  const pid_t child = fork();
  if (child == 0) {
    python().after_fork_child();
    return 0;
  }
  python().after_fork_parent();
  if (setns(own.get(), CLONE_NEWPID) != 0) {
    _exit(2);
  }
  return child;
}

}  // namespace codejail
