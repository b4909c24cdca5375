#include "seccomp.h"

#include <asm/ioctls.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "seccomp_table.h"
#include "syscalls.h"

namespace codejail {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kX32Bit = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "codejail supports x86-64 and arm64"
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
constexpr std::uint32_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                         CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                         CLONE_NEWNET | CLONE_NEWTIME | CLONE_PTRACE;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

constexpr std::size_t kCapacity = 1024;

// Classic BPF as in seccomp(2), written front to back.
class Filter {
 public:
  void statement(std::uint16_t code, std::uint32_t value) { add({code, 0, 0, value}); }
  void load(std::size_t offset) {
    statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void load_number() { load(offsetof(seccomp_data, nr)); }
  // The low half of an argument: both machines are little-endian.
  void load_argument(std::size_t index) {
    load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t));
  }
  void load_argument_high(std::size_t index) {
    load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t) + sizeof(std::uint32_t));
  }
  void answer(std::uint32_t action) { statement(BPF_RET | BPF_K, action); }
  // Skips the next `count` instructions unless the accumulator equals `value`.
  void unless_equal_skip(std::uint32_t value, std::uint8_t count) {
    add({BPF_JMP | BPF_JEQ | BPF_K, 0, count, value});
  }
  void if_equal_skip(std::uint32_t value, std::uint8_t count) {
    add({BPF_JMP | BPF_JEQ | BPF_K, count, 0, value});
  }
  void unless_any_bit_skip(std::uint32_t bits, std::uint8_t count) {
    add({BPF_JMP | BPF_JSET | BPF_K, 0, count, bits});
  }
  void answer_call(int number, std::uint32_t action) {
    unless_equal_skip(static_cast<std::uint32_t>(number), 1);
    answer(action);
  }

  // Goes on with the next instruction, or, from `value` on, where land() is called with the result.
  std::size_t branch_if_at_least(std::uint32_t value) {
    add({BPF_JMP | BPF_JGE | BPF_K, 0, 1, value});
    statement(BPF_JMP | BPF_JA, 0);
    return length_ - 1;
  }
  void land(std::size_t jump) {
    if (jump < kCapacity) {
      instructions_[jump].k = static_cast<std::uint32_t>(length_ - jump - 1);
    }
  }

  [[nodiscard]] bool overflown() const { return length_ > kCapacity; }
  sock_fprog program() { return {static_cast<unsigned short>(length_), instructions_}; }

 private:
  void add(sock_filter instruction) {
    if (length_ < kCapacity) {
      instructions_[length_] = instruction;
    }
    ++length_;
  }

  sock_filter instructions_[kCapacity] = {};
  std::size_t length_ = 0;
};

void check_architecture(Filter& filter) {
  filter.load(offsetof(seccomp_data, arch));
  filter.if_equal_skip(kArchitecture, 1);
  filter.answer(SECCOMP_RET_KILL_PROCESS);
  filter.load_number();
#if defined(__x86_64__)
  // x32 shares the architecture's number and differs in this bit (seccomp(2), "Caveats").
  filter.unless_any_bit_skip(kX32Bit, 1);
  filter.answer(SECCOMP_RET_KILL_PROCESS);
#endif
}

void restrict_exec(Filter& filter, ExecPolicy exec) {
  const std::uint32_t action = exec == ExecPolicy::kAllow ? kAllow
                               : exec == ExecPolicy::kAsk ? std::uint32_t{SECCOMP_RET_USER_NOTIF}
                                                          : refuse(EACCES);
  filter.answer_call(SYS_execve, action);
  filter.answer_call(SYS_execveat, action);
}

// clone: no new namespace. clone3 hides its flags behind a pointer, so libc is sent back to clone.
void restrict_clone(Filter& filter) {
  filter.answer_call(SYS_clone3, refuse(ENOSYS));
  filter.unless_equal_skip(SYS_clone, 4);
  filter.load_argument(0);
  filter.unless_any_bit_skip(kNewNamespaces, 1);
  filter.answer(refuse(EPERM));
  filter.answer(kAllow);
}

// Sockets: AF_UNIX only, or none but a pair.
void restrict_sockets(Filter& filter, bool unix_sockets) {
  if (!unix_sockets) {
    filter.answer_call(SYS_socket, refuse(EACCES));
  }
  for (const int call : {SYS_socket, SYS_socketpair}) {
    filter.unless_equal_skip(static_cast<std::uint32_t>(call), 6);
    filter.load_argument_high(0);
    filter.unless_equal_skip(0, 3);
    filter.load_argument(0);
    filter.unless_equal_skip(AF_UNIX, 1);
    filter.answer(kAllow);
    filter.answer(refuse(EACCES));
  }
}

// setsockopt: buffers stay at the host's default, since what waits in them is in no sum.
void restrict_socket_buffers(Filter& filter) {
  filter.unless_equal_skip(SYS_setsockopt, 7);
  filter.load_argument(1);
  filter.unless_equal_skip(SOL_SOCKET, 3);
  filter.load_argument(2);
  filter.if_equal_skip(SO_SNDBUF, 2);
  filter.if_equal_skip(SO_RCVBUF, 1);
  filter.answer(kAllow);
  filter.answer(refuse(EACCES));
}

// ioctl: no input faked into a terminal, by TIOCSTI (CVE-2017-5226) or the console's TIOCLINUX
// (CVE-2023-28339). The kernel looks at the low half only, so this does too.
void restrict_ioctl(Filter& filter) {
  filter.unless_equal_skip(SYS_ioctl, 5);
  filter.load_argument(1);
  filter.if_equal_skip(TIOCSTI, 2);
  filter.if_equal_skip(TIOCLINUX, 1);
  filter.answer(kAllow);
  filter.answer(refuse(EPERM));
}

// mmap: no shared anonymous memory. Pages that MADV_DONTNEED has taken out of every resident set
// stay allocated, so that neither RLIMIT_DATA nor a sample of the jail's memory would see them.
void restrict_shared_memory(Filter& filter) {
  filter.unless_equal_skip(SYS_mmap, 5);
  filter.load_argument(3);
  filter.unless_any_bit_skip(MAP_ANONYMOUS, 2);
  // Also in MAP_SHARED_VALIDATE.
  filter.unless_any_bit_skip(MAP_SHARED, 1);
  filter.answer(refuse(EACCES));
  filter.answer(kAllow);
}

// Calls that take a process and would reach the launcher, which has the same uid: its limits,
// priority and processors decide how well it watches.
void protect_launcher(Filter& filter, pid_t launcher) {
  const auto number = static_cast<std::uint32_t>(launcher);
  for (const int call : {SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler,
                         SYS_sched_setparam, SYS_sched_setattr}) {
    filter.unless_equal_skip(static_cast<std::uint32_t>(call), 4);
    filter.load_argument(0);
    filter.unless_equal_skip(number, 1);
    filter.answer(refuse(EPERM));
    filter.answer(kAllow);
  }
  // These first take what the number means; by group or by user the launcher could be among them.
  struct Call {
    int number;
    std::uint32_t by_process;
  };
  constexpr Call kCalls[] = {{SYS_setpriority, 0 /* PRIO_PROCESS */},
                             {SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */}};
  for (const Call& call : kCalls) {
    filter.unless_equal_skip(static_cast<std::uint32_t>(call.number), 6);
    filter.load_argument(0);
    filter.unless_equal_skip(call.by_process, 2);
    filter.load_argument(1);
    filter.unless_equal_skip(number, 1);
    filter.answer(refuse(EPERM));
    filter.answer(kAllow);
  }
}

// The answer to each system call by number, as runs of equal answers.
class Answers {
 public:
  Answers() {
    for (std::uint32_t& answer : answers_) {
      answer = refuse(ENOSYS);
    }
    for (const int call : kAllowed) {
      answers_[call] = kAllow;
    }
    for (const int call : kRefused) {
      answers_[call] = refuse(EPERM);
    }
    for (const int call : kDenied) {
      answers_[call] = refuse(EACCES);
    }
    for (std::uint32_t number = 0; number < kNumbers; ++number) {
      if (number == 0 || answers_[number] != answers_[number - 1]) {
        starts_[runs_++] = number;
      }
    }
  }
  [[nodiscard]] std::uint32_t runs() const { return runs_; }
  [[nodiscard]] std::uint32_t start(std::uint32_t run) const { return starts_[run]; }
  [[nodiscard]] std::uint32_t answer(std::uint32_t run) const { return answers_[starts_[run]]; }

 private:
  // Above the last number that the lists name; what lies beyond belongs to the last run.
  static constexpr std::uint32_t kNumbers = 512;
  std::uint32_t answers_[kNumbers];
  std::uint32_t starts_[kNumbers] = {};
  std::uint32_t runs_ = 0;
};

// A binary search. The kernel walks the filter once for each system call when it is installed
// (kernel/seccomp.c, seccomp_cache_prepare): as a list that took a millisecond.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the logarithm of the number of runs.
void search(Filter& filter, const Answers& answers, std::uint32_t first, std::uint32_t last) {
  if (first == last) {
    filter.answer(answers.answer(first));
    return;
  }
  const std::uint32_t middle = first + (last - first + 1) / 2;
  const std::size_t jump = filter.branch_if_at_least(answers.start(middle));
  search(filter, answers, first, middle - 1);
  filter.land(jump);
  search(filter, answers, middle, last);
}

}  // namespace

Status install_seccomp_filter(ExecPolicy exec, bool unix_sockets, pid_t launcher,
                              Descriptor& exec_listener) {
  Filter filter;
  check_architecture(filter);
  restrict_exec(filter, exec);
  restrict_clone(filter);
  restrict_sockets(filter, unix_sockets);
  restrict_socket_buffers(filter);
  restrict_ioctl(filter);
  restrict_shared_memory(filter);
  protect_launcher(filter, launcher);
  const Answers answers;
  search(filter, answers, 0, answers.runs() - 1);
  if (filter.overflown()) {
    return Status::failure(Step::kSeccomp, E2BIG);
  }
  sock_fprog program = filter.program();
  const unsigned flags = exec == ExecPolicy::kAsk ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result < 0) {
    return Status::failure(Step::kSeccomp, errno);
  }
  if (exec == ExecPolicy::kAsk) {
    exec_listener.reset(static_cast<int>(result));
  }
  return Status::success();
}

}  // namespace codejail
