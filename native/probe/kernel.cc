#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {
namespace {

// Called with arguments that a kernel without the filter answers EFAULT, EINVAL or EBADF.
void check_refused_calls() {
  struct Call {
    long number;
    const char* check;
  };
  const Call calls[] = {
      {SYS_mount, "mount"},
      {SYS_umount2, "umount2"},
      {SYS_pivot_root, "pivot_root"},
      {SYS_fsopen, "fsopen"},
      {SYS_open_tree, "open_tree"},
      {SYS_setns, "setns"},
      {SYS_ptrace, "ptrace"},
      {SYS_process_vm_readv, "process_vm_readv"},
      {SYS_process_vm_writev, "process_vm_writev"},
      {SYS_pidfd_getfd, "pidfd_getfd"},
      {SYS_bpf, "bpf"},
      {SYS_keyctl, "keyctl"},
      {SYS_add_key, "add_key"},
      {SYS_request_key, "request_key"},
      {SYS_io_uring_setup, "io_uring_setup"},
      {SYS_userfaultfd, "userfaultfd"},
      {SYS_perf_event_open, "perf_event_open"},
      {SYS_kexec_load, "kexec_load"},
      {SYS_init_module, "init_module"},
      {SYS_finit_module, "finit_module"},
      {SYS_open_by_handle_at, "open_by_handle_at"},
      {SYS_personality, "personality"},
      {SYS_clone3, "clone3"},
      {SYS_sched_setattr, "sched_setattr"},
      {SYS_seccomp, "seccomp"},
      {444 /* landlock_create_ruleset */, "landlock_create_ruleset"},
  };
  for (const Call& call : calls) {
    // -1 as every argument: an unfiltered kernel says EFAULT, EINVAL or EBADF, never these.
    const long result = syscall(call.number, -1L, -1L, -1L, -1L, -1L, -1L);
    report("kernel", call.check, result < 0 && (errno == EPERM || errno == ENOSYS),
           result < 0 ? std::strerror(errno) : "it succeeded");
  }
  report_refused("kernel", "unshare", unshare(CLONE_NEWUSER));
  const long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
  if (child == 0) {
    _exit(0);
  }
  report("kernel", "clone with a new namespace", child < 0 && errno == EPERM);
}

// What one call among many of its kind does. With a descriptor of -1 a kernel without the filter
// says EBADF.
void check_refused_arguments() {
  const auto refused = [](const char* check, long result, int error) {
    report("kernel", check, result < 0 && errno == error,
           result < 0 ? std::strerror(errno) : "it succeeded");
  };
  char byte = 'x';
  refused("type into a terminal", ioctl(-1, TIOCSTI, &byte), ENOTTY);
  constexpr unsigned long kDeviceByName = 0x8933;  // SIOCGIFINDEX, which loads modules
  refused("ask for a network device", ioctl(-1, kDeviceByName, &byte), ENOTTY);
  refused("filter a socket", setsockopt(-1, SOL_SOCKET, SO_ATTACH_FILTER, &byte, 1), EACCES);
  refused("send out of band", send(-1, &byte, 1, MSG_OOB), EACCES);
  refused("share pages by their content", madvise(nullptr, 0, MADV_MERGEABLE), EINVAL);
  constexpr int kFutexHash = 78;  // PR_FUTEX_HASH; as it would, read only
  refused("ask for a table of futexes", prctl(kFutexHash, 2, 0, 0, 0), EINVAL);
  constexpr int kSchedulingGroup = 62;  // PR_SCHED_CORE, PR_SCHED_CORE_GET without a place for it
  refused("schedule with others", prctl(kSchedulingGroup, 0, 0, 0, 0), EINVAL);
}

#if defined(__x86_64__)
// getpid by the 32-bit entry.
long foreign_call() {
  long number = 20;
  asm volatile("int $0x80" : "+a"(number) : : "memory");
  return number;
}
long x32_call() {
  return syscall(0x40000000L | SYS_getpid) < 0 ? -errno : 0;
}

// Answered as by a kernel that has no such calls, or, where it really has none, by the processor's
// fault.
bool is_unknown(long (*call)()) {
  const pid_t child = fork();
  if (child == 0) {
    _exit(call() == -ENOSYS ? 0 : 1);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child &&
         (WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) == 0);
}
#endif

}  // namespace

void check_kernel() {
  report("kernel", "be without a seccomp filter", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
  check_refused_calls();
  check_refused_arguments();
#if defined(__x86_64__)
  report("kernel", "call as a 32-bit program", is_unknown(foreign_call));
  report("kernel", "call as an x32 program", is_unknown(x32_call));
#endif
}

}  // namespace codejail_probe
