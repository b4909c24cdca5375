#include "fork.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "python.h"

// Of glibc 2.35 and later: where this thread's area of restartable sequences is.
extern "C" {
extern const std::ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
}

namespace codejail {
namespace {

// proc(5): the directory has one subdirectory for each thread.
bool has_other_threads() {
  struct stat status {};
  return stat("/proc/self/task", &status) != 0 || status.st_nlink != 3;
}

// A child of a process that shares its parent's memory starts without restartable sequences
// (include/linux/rseq.h, rseq_fork), but with what libc last read of them: the number of a
// processor that it may long have left.
void register_restartable_sequences() {
#if defined(__x86_64__) && defined(SYS_rseq)
  constexpr unsigned kSignature = 0x53053053;
  if (&__rseq_offset != nullptr && &__rseq_size != nullptr && __rseq_size > 0) {
    char* area = static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
    constexpr unsigned kFirstSize = 32;
    (void)syscall(SYS_rseq, area, __rseq_size < kFirstSize ? kFirstSize : __rseq_size, 0,
                  kSignature);
  }
#endif
}

}  // namespace

Status fork_into(const Descriptor& pid_namespace, const WorkingPages& pages, Forked& forked) {
  forked = {};
  if (has_other_threads()) {
    return Status::failure(Step::kForkCell, EBUSY, "the template has a second thread");
  }
  const Descriptor own(open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
  if (!own.valid() || setns(pid_namespace.get(), CLONE_NEWPID) != 0) {
    return Status::failure(Step::kForkCell, errno, "setns");
  }
  python().before_fork();
  // The process between is in the cell's namespace and gone at once, so that the kernel gives its
  // child to that namespace's PID 1 (kernel/exit.c, find_child_reaper), which then learns its end.
  // It shares the template's memory: only the one fork copies page tables.
  volatile int error = 0;
  // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): see above.
  const pid_t between = vfork();
  if (between == 0) {
    const pid_t own_number = getpid();
    const pid_t child = fork();
    if (child == 0) {
      pages.take();
      register_restartable_sequences();
      python().after_fork_child();
      forked = {true, own_number};
      return Status::success();
    }
    if (child < 0) {
      error = errno;
    }
    _exit(0);
  }
  if (between < 0) {
    error = errno;
  }
  python().after_fork_parent();
  while (between > 0 && waitpid(between, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  if (setns(own.get(), CLONE_NEWPID) != 0) {
    // The next cell would be forked into the last one's namespace.
    _exit(2);
  }
  return error == 0 ? Status::success() : Status::failure(Step::kForkCell, error);
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

void wait_until_reaped(pid_t between) {
  constexpr timespec kPause{0, 200000};
  // EPERM: it is there. Numbers are not given again so soon.
  while (kill(between, 0) == 0 || errno != ESRCH) {
    (void)nanosleep(&kPause, nullptr);
  }
}

}  // namespace codejail
