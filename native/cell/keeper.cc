#include "cell/keeper.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <atomic>
#include <cstddef>

#include "cell/restartable_sequences.h"
#include "cell/sealed_wait.h"
#include "core/credentials.h"
#include "core/syscalls.h"

#if defined(__GLIBC__)
#include <ucontext.h>
#endif

namespace codejail {
namespace {

// Of the one memory that keeper and main process share.
std::atomic<bool> keeper_is_done{false};

void enter_namespace(const Descriptor& pid_namespace, const ReportChannel& channel) {
  if (setns(pid_namespace.get(), CLONE_NEWPID) != 0) {
    channel.fail(Status::failure(Step::kForkCell, errno, "setns"));
  }
}

// The process between is in the cell's namespace and gone at once, so that the kernel gives its
// child to that namespace's PID 1 (kernel/exit.c, find_child_reaper), which then learns its end.
pid_t fork_through_another(const ReportChannel& channel) {
  volatile int error = 0;
  // Only the one fork copies page tables.
  // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork)
  const pid_t between = vfork();
  if (between == 0) {
    // NOLINTBEGIN(clang-analyzer-unix.Vfork): the fork's child has a copy of the suspended caller.
    const pid_t own_number = getpid();
    const pid_t child = fork();
    // NOLINTEND(clang-analyzer-unix.Vfork)
    if (child == 0) {
      keeper_is_done = true;
      return own_number;
    }
    if (child < 0) {
      error = errno;
    }
    _exit(0);
  }
  if (between < 0 || error != 0) {
    channel.fail(Status::failure(Step::kForkCell, between < 0 ? errno : error));
  }
  (void)waitpid(between, nullptr, __WALL);  // ECHILD: SIGCHLD is ignored, and it is gone
  _exit(0);
}

#if defined(__GLIBC__)

constexpr std::size_t kStackBytes = 8192;

struct Stack {
  alignas(16) char bytes[kStackBytes];
  [[nodiscard]] void* top() { return bytes + kStackBytes; }
};

// What libc keeps of a thread in the kernel, and sets anew only in its own fork.
struct ThreadRecord {
  pid_t* number = nullptr;
  void* robust_list = nullptr;
  std::size_t robust_list_size = 0;

  // prctl(2), PR_GET_TID_ADDRESS: not in every kernel.
  bool read() {
    return prctl(PR_GET_TID_ADDRESS, &number, 0, 0, 0) == 0 && number != nullptr &&
           syscall(SYS_get_robust_list, 0, &robust_list, &robust_list_size) == 0;
  }
  // Else the kernel would write to the shared memory when this process ends.
  [[nodiscard]] bool forget() const {
    leave_restartable_sequences();
    (void)syscall(SYS_set_tid_address, nullptr);  // does not fail
    return syscall(SYS_set_robust_list, nullptr, robust_list_size) == 0;
  }
  [[nodiscard]] bool take() const {
    return syscall(SYS_set_robust_list, robust_list, robust_list_size) == 0;
  }
};

// Three processes run in one memory: each needs a stack, and none may set errno while another one
// could read it.
struct Shared {
  ThreadRecord thread;
  int lifeline = -1;  // what was received is the main process's to change
  int mounts = -1;    // the same
  const ReportChannel* channel = nullptr;
  pid_t between = 0;
  int error = 0;
  ucontext_t main_process;
  ucontext_t keeper;
  Stack keeper_stack;
  Stack between_stack;
  Stack start_stack;
};
Shared shared;

int start_main_process(void* /*unused*/) {
  (void)setcontext(&shared.main_process);  // returns when it has failed
  _exit(1);
}

int be_between(void* /*unused*/) {
  shared.between = getpid();
  constexpr int kFlags = CLONE_VM | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
  if (clone(start_main_process, shared.start_stack.top(), kFlags, nullptr, nullptr, nullptr,
            shared.thread.number) < 0) {
    shared.error = errno;
  }
  _exit(0);
}

// fcntl(2), F_SETSIG: the kernel sends this signal when the pipe's other end is closed, and a
// process that is killed does not come back to its memory.
bool die_with(int lifeline) {
  pollfd event{lifeline, POLLIN, 0};
  return fcntl(lifeline, F_SETSIG, SIGKILL) == 0 && fcntl(lifeline, F_SETOWN, getpid()) == 0 &&
         fcntl(lifeline, F_SETFL, O_ASYNC) == 0 && poll(&event, 1, 0) == 0;
}

// The strict mode costs nothing, where a filter is compiled and its code freed by the kernel in
// more time than all else that is done here; a server that is under a filter itself can't have it.
bool allow_only_to_wait() {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_DISABLED) {
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0;
  }
#if defined(__x86_64__)
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
  constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  sock_fprog program{sizeof(code) / sizeof(code[0]), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

// Where it can't wait in sealed memory (before Linux 6.10), and goes on in what a program has
// written: for a second, after which the kernel kills it.
bool use_no_processor() {
  constexpr rlimit kLeast{1, 1};
  return setrlimit(RLIMIT_CPU, &kLeast) == 0;
}

[[noreturn]] void keep() {
  constexpr int kLifeline = 0;
  constexpr int kMounts = 1;
  // It has time, and the call's caller has not.
  constexpr int kLowest = 19;
  (void)setpriority(PRIO_PROCESS, 0, kLowest);  // to a lower one everybody may
  // Nobody writes to it.
  const bool is_kept = dup3(shared.lifeline, kLifeline, O_CLOEXEC) == kLifeline &&
                       dup3(shared.mounts, kMounts, O_CLOEXEC) == kMounts &&
                       sys_close_range(kMounts + 1, ~0U, 0) == 0;
  const int nothing = is_kept ? eventfd(0, EFD_CLOEXEC) : -1;
  const bool is_harmless =
      nothing > 0 && empty_capability_sets().ok() && use_no_processor() && allow_only_to_wait();
  if (is_harmless && has_sealed_wait()) {
    wait_sealed(keeper_is_done, nothing);
  }
  keeper_is_done = true;
  // Until it is killed. NOLINTNEXTLINE(bugprone-infinite-loop)
  while (is_harmless) {
    std::uint64_t count = 0;
    (void)!read(nothing, &count, sizeof(count));
  }
  (void)syscall(SYS_exit, 1);
  __builtin_unreachable();
}

void run_keeper() {
  if (!die_with(shared.lifeline) || !shared.thread.forget()) {
    shared.channel->fail(Status::failure(Step::kForkCell, errno, "the cell's keeper"));
  }
  const pid_t between =
      clone(be_between, shared.between_stack.top(), CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr);
  if (between < 0 || shared.error != 0) {
    shared.channel->fail(Status::failure(Step::kForkCell, between < 0 ? errno : shared.error));
  }
  (void)waitpid(between, nullptr, __WALL);  // ECHILD: SIGCHLD is ignored, and it is gone
  keep();
}

#endif

}  // namespace

pid_t become_keeper(const Descriptor& pid_namespace, const Descriptor& mounts,
                    const Descriptor& lifeline, const ReportChannel& channel) {
  enter_namespace(pid_namespace, channel);
#if defined(__GLIBC__)
  if (shared.thread.read()) {
    shared.lifeline = lifeline.get();
    shared.mounts = mounts.get();
    shared.channel = &channel;
    // No handler of the template's may run on one of these stacks.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) != 0 || getcontext(&shared.keeper) != 0) {
      channel.fail(Status::failure(Step::kForkCell, errno, "getcontext"));
    }
    shared.keeper.uc_stack.ss_sp = shared.keeper_stack.bytes;
    shared.keeper.uc_stack.ss_size = kStackBytes;
    shared.keeper.uc_link = nullptr;
    makecontext(&shared.keeper, run_keeper, 0);
    // The keeper goes on there, and only the main process comes back.
    if (swapcontext(&shared.main_process, &shared.keeper) != 0 || !shared.thread.take() ||
        sigprocmask(SIG_SETMASK, &before, nullptr) != 0) {
      channel.fail(Status::failure(Step::kForkCell, errno, "swapcontext"));
    }
    join_restartable_sequences();
    return shared.between;
  }
#endif
  const pid_t between = fork_through_another(channel);
  join_restartable_sequences();
  return between;
}

pid_t* thread_number() {
#if defined(__GLIBC__)
  return shared.thread.number;
#else
  return nullptr;
#endif
}

bool take_robust_list() {
#if defined(__GLIBC__)
  return shared.thread.take();
#else
  return true;
#endif
}

void wait_for_keeper(pid_t between) {
  constexpr timespec kPause{0, 200000};
  // EPERM: it is there. Numbers are not given again so soon.
  while (!keeper_is_done || kill(between, 0) == 0 || errno != ESRCH) {
    (void)nanosleep(&kPause, nullptr);  // it looks again in any case
  }
}

}  // namespace codejail
