#include "seccomp.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "filter.h"
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

// The place where the filter goes on for each system call, by its number.
class Calls {
 public:
  explicit Calls(Filter::Place otherwise) {
    for (Filter::Place& place : places_) {
      place = otherwise;
    }
  }
  void go(int number, Filter::Place place) { places_[number] = place; }

  // A binary search. The kernel walks the filter once for each system call when it is installed
  // (kernel/seccomp.c, seccomp_cache_prepare): as a list that took a millisecond.
  Filter::Place search(Filter& filter) {
    std::uint32_t runs = 0;
    for (std::uint32_t number = 0; number < kNumbers; ++number) {
      if (number == 0 || places_[number] != places_[number - 1]) {
        starts_[runs++] = static_cast<std::uint16_t>(number);
      }
    }
    return search(filter, 0, runs - 1);
  }

 private:
  // Above the last number that the lists name; what lies beyond belongs to the last run.
  static constexpr std::uint32_t kNumbers = 512;

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the logarithm of the number of runs.
  Filter::Place search(Filter& filter, std::uint32_t first, std::uint32_t last) const {
    if (first == last) {
      return places_[starts_[first]];
    }
    const std::uint32_t middle = first + (last - first + 1) / 2;
    const Filter::Place above = search(filter, middle, last);
    const Filter::Place below = search(filter, first, middle - 1);
    return filter.if_at_least(starts_[middle], above, below);
  }

  Filter::Place places_[kNumbers];
  std::uint16_t starts_[kNumbers] = {};
};

void answer_by_lists(Filter& filter, Calls& calls) {
  for (const int call : kAllowed) {
    calls.go(call, filter.answer(kAllow));
  }
  for (const int call : kRefused) {
    calls.go(call, filter.answer(refuse(EPERM)));
  }
  for (const int call : kDenied) {
    calls.go(call, filter.answer(refuse(EACCES)));
  }
}

void restrict_exec(Filter& filter, Calls& calls, ExecPolicy exec) {
  const std::uint32_t action = exec == ExecPolicy::kAllow ? kAllow
                               : exec == ExecPolicy::kAsk ? std::uint32_t{SECCOMP_RET_USER_NOTIF}
                                                          : refuse(EACCES);
  calls.go(SYS_execve, filter.answer(action));
  calls.go(SYS_execveat, filter.answer(action));
}

// clone: no new namespace. clone3 hides its flags behind a pointer, so libc is sent back to clone.
void restrict_clone(Filter& filter, Calls& calls) {
  filter.if_any_bit(kNewNamespaces, filter.answer(refuse(EPERM)), filter.answer(kAllow));
  calls.go(SYS_clone, filter.load_argument(0));
  calls.go(SYS_clone3, filter.answer(refuse(ENOSYS)));
}

// Sockets: AF_UNIX only, or none but a pair.
void restrict_sockets(Filter& filter, Calls& calls, bool unix_sockets) {
  const Filter::Place denied = filter.answer(refuse(EACCES));
  filter.if_equal(AF_UNIX, filter.answer(kAllow), denied);
  const Filter::Place low = filter.load_argument(0);
  filter.if_equal(0, low, denied);
  const Filter::Place by_family = filter.load_argument_high(0);
  calls.go(SYS_socket, unix_sockets ? by_family : denied);
  calls.go(SYS_socketpair, by_family);
}

// setsockopt: buffers stay at the host's default, since what waits in them is in no sum.
void restrict_socket_buffers(Filter& filter, Calls& calls) {
  const Filter::Place denied = filter.answer(refuse(EACCES));
  const Filter::Place allowed = filter.answer(kAllow);
  const Filter::Place received = filter.if_equal(SO_RCVBUF, denied, allowed);
  filter.if_equal(SO_SNDBUF, denied, received);
  const Filter::Place option = filter.load_argument(2);
  filter.if_equal(SOL_SOCKET, option, allowed);
  calls.go(SYS_setsockopt, filter.load_argument(1));
}

// ioctl: no input faked into a terminal, by TIOCSTI (CVE-2017-5226) or the console's TIOCLINUX
// (CVE-2023-28339). The kernel looks at the low half only, so this does too.
void restrict_ioctl(Filter& filter, Calls& calls) {
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place console = filter.if_equal(TIOCLINUX, refused, filter.answer(kAllow));
  filter.if_equal(TIOCSTI, refused, console);
  calls.go(SYS_ioctl, filter.load_argument(1));
}

// mmap: no anonymous memory that a limit would not see. Of shared memory, pages that MADV_DONTNEED
// has taken out of every resident set stay allocated; what grows down counts as a stack, which
// RLIMIT_DATA leaves out (mm/mmap.c, is_data_mapping); huge pages are in no resident set.
void restrict_memory(Filter& filter, Calls& calls) {
  // MAP_SHARED is a bit of MAP_SHARED_VALIDATE too.
  constexpr std::uint32_t kUnseen = MAP_SHARED | MAP_GROWSDOWN | MAP_HUGETLB;
  const Filter::Place allowed = filter.answer(kAllow);
  const Filter::Place unseen = filter.if_any_bit(kUnseen, filter.answer(refuse(EACCES)), allowed);
  filter.if_any_bit(MAP_ANONYMOUS, unseen, allowed);
  calls.go(SYS_mmap, filter.load_argument(3));
}

// fcntl: no word of what others read in a directory that all jails share (F_NOTIFY), and no lease
// (F_SETLEASE), for which everybody else's open of the file waits: who owns it may take one. Nor
// what came to Linux's own commands later, as such leases of directories did.
void restrict_fcntl(Filter& filter, Calls& calls) {
  constexpr std::uint32_t kFirstUnknown = F_SETLEASE + 15;  // after F_SET_FILE_RW_HINT
  const Filter::Place denied = filter.answer(refuse(EACCES));
  const Filter::Place known = filter.if_at_least(kFirstUnknown, denied, filter.answer(kAllow));
  const Filter::Place lease = filter.if_equal(F_SETLEASE, denied, known);
  filter.if_equal(F_NOTIFY, denied, lease);
  calls.go(SYS_fcntl, filter.load_argument(1));
}

// Of a file that is not opened for writing, which Landlock knows: O_TRUNC alone asks for no access
// that it looks at (security/landlock/fs.c, get_required_file_open_access).
void deny_truncation(Filter& filter, Calls& calls) {
  const Filter::Place denied = filter.answer(refuse(EACCES));
  const Filter::Place allowed = filter.answer(kAllow);
  const Filter::Place if_write_only = filter.if_any_bit(O_RDWR, denied, allowed);
  const Filter::Place if_not = filter.if_any_bit(O_RDWR, allowed, denied);
  const Filter::Place by_access = filter.if_any_bit(O_WRONLY, if_write_only, if_not);
#if defined(SYS_open)
  filter.if_any_bit(O_TRUNC, by_access, allowed);
  calls.go(SYS_open, filter.load_argument(1));
#endif
  filter.if_any_bit(O_TRUNC, by_access, allowed);
  calls.go(SYS_openat, filter.load_argument(2));
  calls.go(SYS_openat2, filter.answer(refuse(ENOSYS)));
  calls.go(SYS_truncate, denied);
}

// Calls that take a process and would reach the launcher, which has the same uid: its limits,
// priority and processors decide how well it watches.
void protect_launcher(Filter& filter, Calls& calls, pid_t launcher) {
  const auto number = static_cast<std::uint32_t>(launcher);
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place allowed = filter.answer(kAllow);
  filter.if_equal(number, refused, allowed);
  const Filter::Place by_first = filter.load_argument(0);
  for (const int call : {SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler,
                         SYS_sched_setparam, SYS_sched_setattr}) {
    calls.go(call, by_first);
  }
  // These first take what the number means; by group or by user the launcher could be among them.
  filter.if_equal(number, refused, allowed);
  const Filter::Place by_second = filter.load_argument(1);
  filter.if_equal(0 /* PRIO_PROCESS */, by_second, refused);
  calls.go(SYS_setpriority, filter.load_argument(0));
  filter.if_equal(1 /* IOPRIO_WHO_PROCESS */, by_second, refused);
  calls.go(SYS_ioprio_set, filter.load_argument(0));
}

// Where the filter begins. The search is what was written last: a load goes on with that.
void check_architecture(Filter& filter, Filter::Place killed, Filter::Place search) {
#if defined(__x86_64__)
  // x32 shares the architecture's number and differs in this bit (seccomp(2), "Caveats").
  search = filter.if_any_bit(kX32Bit, killed, search);
#endif
  (void)search;
  const Filter::Place number = filter.load(offsetof(seccomp_data, nr));
  filter.if_equal(kArchitecture, number, killed);
  filter.load(offsetof(seccomp_data, arch));
}

}  // namespace

Status install_seccomp_filter(ExecPolicy exec, const Spec& spec, pid_t launcher,
                              Descriptor* listener) {
  Filter filter;
  const Filter::Place killed = filter.answer(SECCOMP_RET_KILL_PROCESS);
  Calls calls(filter.answer(refuse(ENOSYS)));
  answer_by_lists(filter, calls);
  restrict_exec(filter, calls, exec);
  restrict_clone(filter, calls);
  restrict_sockets(filter, calls, !spec.has(kNoUnixSockets));
  restrict_socket_buffers(filter, calls);
  restrict_ioctl(filter, calls);
  restrict_memory(filter, calls);
  restrict_fcntl(filter, calls);
  if (spec.has(kNoTruncation)) {
    deny_truncation(filter, calls);
  }
  protect_launcher(filter, calls, launcher);
  check_architecture(filter, killed, calls.search(filter));
  if (filter.overflown()) {
    return Status::failure(Step::kSeccomp, E2BIG);
  }
  sock_fprog program = filter.program();
  const unsigned flags = listener == nullptr ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result < 0) {
    return Status::failure(Step::kSeccomp, errno);
  }
  if (listener != nullptr) {
    listener->reset(static_cast<int>(result));
  }
  return Status::success();
}

}  // namespace codejail
