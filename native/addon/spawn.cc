#include "addon/spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "addon/memfd.h"
#include "addon/pidfd.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr std::size_t kStackSize = 32768;

// What the child needs, prepared before the clone: it shares this memory with the server.
struct ChildPlan {
  int launcher;
  // Those of the spec, the spec itself, and cgroup.procs.
  int kept[kLauncherFds + 2];
  char* arguments[5];
  char* environment[1];
  char* cgroup_procs_argument;  // null without a cgroup
  volatile int error;
};

// Runs in the server's memory while the calling thread is suspended (CLONE_VM | CLONE_VFORK). It
// only readies its own copy of the descriptor table for the exec: direct system calls, no
// allocation, no lock, no change of credentials (that would act on the shared memory's dumpable
// flag: kernel/cred.c, commit_creds).
int exec_launcher(void* argument) {
  auto* plan = static_cast<ChildPlan*>(argument);
  for (const int descriptor : plan->kept) {
    if (descriptor >= 0 && syscall(SYS_fcntl, descriptor, F_SETFD, 0) != 0) {
      plan->error = errno;
      syscall(SYS_exit, 127);
    }
  }
  syscall(SYS_execveat, plan->launcher, "", plan->arguments, plan->environment, AT_EMPTY_PATH);
  plan->error = errno;
  syscall(SYS_exit, 127);
  return 127;
}

// The child starts on a stack of its own, where it calls `entry`, which never returns.
long clone3_on_stack(const CloneArguments* arguments, int (*entry)(void*), void* argument) {
#if defined(__x86_64__)
  long result = SYS_clone3;
  register int (*child_entry)(void*) asm("r12") = entry;
  register void* child_argument asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %%r13, %%rdi\n\t"
      "callq *%%r12\n\t"
      "ud2\n"
      "1:"
      : "+a"(result)
      : "D"(arguments), "S"(sizeof(CloneArguments)), "r"(child_entry), "r"(child_argument)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__)
  register long number asm("x8") = SYS_clone3;
  register long result asm("x0") = reinterpret_cast<long>(arguments);
  register long size asm("x1") = sizeof(CloneArguments);
  register int (*child_entry)(void*) asm("x20") = entry;
  register void* child_argument asm("x21") = argument;
  asm volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x21\n\t"
      "blr x20\n\t"
      "brk #0\n"
      "1:"
      : "+r"(result)
      : "r"(number), "r"(size), "r"(child_entry), "r"(child_argument)
      : "memory", "cc");
  return result;
#endif
}

// Every signal is blocked around the clone: a handler of the server's must not run in the child.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t before_{};
};

// The files of its cgroup that the launcher is to read and write, open only until the spawn.
struct CgroupFiles {
  Descriptor cpu_stat;
  Descriptor memory_current;
  Descriptor memory_max;
  Descriptor procs;
};

Status make_cgroup(const SpawnPlan& plan, JailCgroup& cgroup, CgroupFiles& files) {
  if (!plan.has_cgroup) {
    return Status::success();
  }
  if (Status status = cgroup.make(plan.cgroup); !status.ok()) {
    return status;
  }
  files.cpu_stat = cgroup.open_file("cpu.stat", O_RDONLY);
  files.memory_current = cgroup.open_file("memory.current", O_RDONLY);
  files.memory_max = cgroup.open_file("memory.max", O_WRONLY);
  files.procs = cgroup.open_file("cgroup.procs", O_WRONLY);
  for (const Descriptor* file :
       {&files.cpu_stat, &files.memory_current, &files.memory_max, &files.procs}) {
    if (!file->valid()) {
      return Status::failure(Step::kMakeCgroup, errno, "the files of the jail's cgroup");
    }
  }
  return Status::success();
}

// clone3, or clone where a seccomp filter answers as an older kernel (Docker's default profile).
// `cgroup`: the child's, or -1.
long clone_child(std::uint64_t namespaces, ChildPlan& child, int cgroup, int& pidfd) {
  alignas(16) char stack[kStackSize];
  CloneArguments arguments{};
  arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | namespaces;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack);
  arguments.stack_size = kStackSize;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  const long result = clone3_on_stack(&arguments, exec_launcher, &child);
  if (result != -ENOSYS) {
    return result;
  }
  // The launcher then moves itself, by the open cgroup.procs.
  child.arguments[3] = child.cgroup_procs_argument;
  // Without CLONE_CLEAR_SIGHAND the exec itself resets the handlers; all signals are blocked.
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | static_cast<int>(namespaces);
  const int process = clone(exec_launcher, stack + kStackSize, flags, &child, &pidfd);
  return process < 0 ? -errno : process;
}

}  // namespace

Spawned spawn_launcher(SpawnPlan& plan, ChildEnds ends) {
  Spawned spawned;
  if (plan.leases_uid) {
    spawned.status = lease_uid(plan.uids, spawned.lease);
    if (!spawned.status.ok()) {
      return spawned;
    }
    if (plan.header.id_map == IdMap::kNone) {
      plan.header.uid = spawned.lease.uid;
      plan.header.gid = spawned.lease.uid;
    } else {
      plan.header.outer_uid = spawned.lease.uid;
      plan.header.outer_gid = spawned.lease.uid;
    }
    plan.header.launcher_uid = spawned.lease.launcher_uid;
  }
  Descriptor request;
  if (plan.has_request) {
    spawned.status = make_request(plan, request);
    if (!spawned.status.ok()) {
      return spawned;
    }
  }
  SpecHeader& header = plan.header;
  CgroupFiles cgroup_files;
  spawned.status = make_cgroup(plan, spawned.cgroup, cgroup_files);
  if (!spawned.status.ok()) {
    return spawned;
  }
  header.descriptors[kStdinFd] = ends.standard_input.get();
  header.descriptors[kStdoutFd] = ends.standard_output.get();
  header.descriptors[kStderrFd] = ends.standard_error.get();
  header.descriptors[kRequestFd] = request.get();
  header.descriptors[kResultFd] = ends.result.get();
  header.descriptors[kReportFd] = ends.report.get();
  header.descriptors[kLeaseFd] = spawned.lease.lock.get();
  header.descriptors[kNurseryFd] = ends.nursery.get();
  header.descriptors[kCpuStatFd] = cgroup_files.cpu_stat.get();
  header.descriptors[kMemoryCurrentFd] = cgroup_files.memory_current.get();
  header.descriptors[kMemoryMaxFd] = cgroup_files.memory_max.get();
  Descriptor spec;
  spawned.status = make_spec(plan, spec);
  if (!spawned.status.ok()) {
    return spawned;
  }
  Descriptor launcher(open(plan.launcher.c_str(), O_PATH | O_CLOEXEC));
  if (!launcher.valid()) {
    spawned.status = Status::failure(Step::kExecLauncher, errno, "the launcher can't be opened");
    return spawned;
  }

  char name[] = "codejail-launcher";
  char spec_number[16];
  (void)std::snprintf(spec_number, sizeof(spec_number), "%d", spec.get());
  char report_number[16];
  (void)std::snprintf(report_number, sizeof(report_number), "%d", ends.report.get());
  ChildPlan child{};
  child.launcher = launcher.get();
  char procs_number[16];
  (void)std::snprintf(procs_number, sizeof(procs_number), "%d", cgroup_files.procs.get());
  child.cgroup_procs_argument = cgroup_files.procs.valid() ? procs_number : nullptr;
  child.kept[kLauncherFds] = spec.get();
  child.kept[kLauncherFds + 1] = cgroup_files.procs.get();
  std::copy(header.descriptors.begin(), header.descriptors.end(), child.kept);
  child.arguments[0] = name;
  child.arguments[1] = spec_number;
  child.arguments[2] = report_number;

  std::uint64_t namespaces = (header.flags & kLauncherMakesNamespaces) != 0 ? 0 : header.namespaces;
  if (spawned.cgroup.valid()) {
    // The launcher makes it, once it is inside.
    namespaces &= ~std::uint64_t{CLONE_NEWCGROUP};
  }
  int pidfd = -1;
  long process = 0;
  {
    const BlockedSignals blocked;
    process = clone_child(namespaces, child, spawned.cgroup.directory(), pidfd);
  }
  if (process < 0) {
    spawned.status = Status::failure(Step::kClone, static_cast<int>(-process));
    return spawned;
  }
  spawned.pidfd.reset(pidfd);
  if (child.error != 0) {
    siginfo_t info{};
    waitid(kByPidfd, static_cast<id_t>(pidfd), &info, WEXITED | __WALL);
    spawned.pidfd.reset();
    spawned.status = Status::failure(Step::kExecLauncher, child.error);
  }
  return spawned;
}

}  // namespace codejail
