#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "check.h"

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
  char byte = 'x';
  const int pushed = ioctl(-1, TIOCSTI, &byte);
  report("kernel", "type into a terminal", pushed < 0 && errno == EPERM, std::strerror(errno));
}

#if defined(__x86_64__)
void foreign_call() {
  // getpid by the 32-bit entry.
  long number = 20;
  asm volatile("int $0x80" : "+a"(number) : : "memory");
}
void x32_call() {
  syscall(0x40000000L | SYS_getpid);
}

bool dies_of_sigsys(void (*call)()) {
  const pid_t child = fork();
  if (child == 0) {
    call();
    _exit(0);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
         // A kernel without 32-bit support raises SIGSEGV.
         (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV);
}
#endif

}  // namespace

void check_kernel() {
  report("kernel", "be without a seccomp filter", prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2);
  check_refused_calls();
#if defined(__x86_64__)
  report("kernel", "call as a 32-bit program", dies_of_sigsys(foreign_call));
  report("kernel", "call as an x32 program", dies_of_sigsys(x32_call));
#endif
}

}  // namespace codejail_probe
