#include "core/seccomp_rules.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "core/seccomp_table.h"
#include "core/session.h"

namespace codejail {
namespace {

// Of a cell, which may be a session's.
bool is_of_cell(const FilterPolicy& policy) {
  return policy.exec == ExecPolicy::kDeny && policy.count == CountPolicy::kAsk;
}

// Goes on at `then` where the upper halves of the first two arguments are the key's, which the
// kernel does not read: both are ints. Only the launcher knows it.
Filter::Place if_by_launcher(Filter& filter, std::uint64_t key, Filter::Place then,
                             Filter::Place otherwise) {
  filter.if_equal(static_cast<std::uint32_t>(key), then, otherwise);
  const Filter::Place second = filter.load_argument_high(1);
  filter.if_equal(static_cast<std::uint32_t>(key >> 32U), second, otherwise);
  return filter.load_argument_high(0);
}

// Goes on at `then` where an argument is larger.
Filter::Place if_larger(Filter& filter, std::size_t argument, std::uint64_t than,
                        Filter::Place then, Filter::Place otherwise) {
  const std::uint64_t least = than + 1;
  const auto high = static_cast<std::uint32_t>(least >> 32U);
  filter.if_at_least(static_cast<std::uint32_t>(least), then, otherwise);
  const Filter::Place low = filter.load_argument(argument);
  const Filter::Place if_as_high = filter.if_equal(high, low, otherwise);
  filter.if_at_least(high + 1, then, if_as_high);
  return filter.load_argument_high(argument);
}

}  // namespace

// Where there is a listener, it refuses: it has to know of some (launcher/stand_ins.h).
void restrict_exec(Calls& calls, const FilterPolicy& policy) {
  const bool is_asked = policy.exec == ExecPolicy::kAsk || policy.count == CountPolicy::kAsk;
  const std::uint32_t action = policy.exec == ExecPolicy::kAllow ? kAllow
                               : is_asked ? std::uint32_t{SECCOMP_RET_USER_NOTIF}
                                          : refuse(EACCES);
  calls.answer(SYS_execve, action);
  calls.answer(SYS_execveat, action);
}

// clone: a thread, a process with a copy of everything, or, until it has exec'd, one in the memory
// of its parent that waits for it. clone3 hides its flags behind a pointer, so libc is sent back to
// clone.
void restrict_clone(Filter& filter, Calls& calls) {
  constexpr std::uint32_t kOfThreads = CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM;
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place allowed = filter.answer(kAllow);
  const Filter::Place waited_for = filter.if_any_bit(CLONE_VFORK, allowed, refused);
  const Filter::Place process = filter.if_any_bit(CLONE_VM, waited_for, allowed);
  const Filter::Place apart = filter.if_any_bit(kOfThreads, refused, process);
  filter.if_any_bit(CLONE_THREAD, allowed, apart);
  calls.go(SYS_clone, filter.load_argument(0));
  calls.answer(SYS_clone3, refuse(ENOSYS));
}

// What the supervisor counts (launcher/counted_calls.h). sendmsg and sendmmsg could pass
// descriptors on, which the kernel counts for a user and not for a jail; a filter can't look into a
// message.
void count_calls(Filter& filter, Calls& calls, CountPolicy policy) {
  const auto counted = [policy](int error) {
    return policy == CountPolicy::kAllow ? kAllow
           : policy == CountPolicy::kAsk ? std::uint32_t{SECCOMP_RET_USER_NOTIF}
                                         : refuse(error);
  };
  const std::uint32_t message = policy == CountPolicy::kAllow ? kAllow : refuse(EACCES);
  calls.answer(SYS_sendmsg, message);
  calls.answer(SYS_sendmmsg, message);
  calls.answer(SYS_socket, counted(EMFILE));
  calls.answer(SYS_socketpair, counted(EMFILE));
  // To connect makes the socket that the other side accepts.
  calls.answer(SYS_connect, counted(ENOBUFS));
  calls.answer(SYS_epoll_create1, counted(EMFILE));
#if defined(SYS_epoll_create)
  calls.answer(SYS_epoll_create, counted(EMFILE));
#endif
  filter.if_equal(EPOLL_CTL_ADD, filter.answer(counted(ENOSPC)), filter.answer(kAllow));
  calls.go(SYS_epoll_ctl, filter.load_argument(1));
}

// Of a cell, which may be a session's (core/session.h). Only a state makes siblings. No step may
// end another one, or the state that it is a fork of: whose the target is PID 1 knows
// (launcher/step_signals.h). And what a step has started descends from it while it lives: it is a
// subreaper, and stays one.
void ask_for_sessions(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  const bool is_cell = is_of_cell(policy);
  const Filter::Place unknown = filter.answer(refuse(EINVAL));
  const Filter::Place otherwise = calls.place(filter, SYS_prctl);
  Filter::Place as_subreaper = unknown;
  if (is_cell) {
    filter.if_equal(0, unknown, otherwise);
    as_subreaper = filter.load_argument(1);
  }
  filter.if_equal(PR_SET_CHILD_SUBREAPER, as_subreaper, otherwise);
  calls.go(SYS_prctl, filter.load_argument(0));
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place child = calls.place(filter, SYS_clone);
  Filter::Place sibling = refused;
  if (is_cell) {
    sibling = filter.if_equal(kSiblingFlags, filter.answer(SECCOMP_RET_USER_NOTIF), refused);
  }
  filter.if_any_bit(CLONE_PARENT, sibling, child);
  calls.go(SYS_clone, filter.load_argument(0));
  if (!is_cell) {
    return;
  }
  for (const int call : {kSessionCall, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo,
                         SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal}) {
    calls.answer(call, SECCOMP_RET_USER_NOTIF);
  }
}

// Locks (launcher/locks.h), which the supervisor takes. It may: where it has a filter of its own,
// or else by its key. No locks of open files by fcntl, as on a kernel before 3.15, for the program:
// the supervisor takes others so.
void restrict_locks(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  const Filter::Place allowed = filter.answer(kAllow);
  if (policy.count == CountPolicy::kAllow) {
    for (const int call :
         {SYS_flock, SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev}) {
      calls.answer(call, kAllow);
    }
    return;
  }
  const std::uint32_t question =
      policy.count == CountPolicy::kAsk ? std::uint32_t{SECCOMP_RET_USER_NOTIF} : refuse(EACCES);
  const Filter::Place asked = filter.answer(question);
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place unknown = filter.answer(refuse(EINVAL));
  const LauncherKey& key = policy.key;
  if (key.locks == 0) {
    calls.answer(SYS_flock, question);
  } else {
    calls.go(SYS_flock, if_by_launcher(filter, key.locks, allowed, asked));
    calls.go(SYS_pidfd_getfd, if_by_launcher(filter, key.locks, allowed, refused));
  }
  if (key.memory != 0) {
    filter.if_equal(key.memory, allowed, refused);
    const Filter::Place by_key = filter.load_argument_high(0);
    calls.go(SYS_process_vm_readv, by_key);
    calls.go(SYS_process_vm_writev, by_key);
  }
  const Filter::Place otherwise = calls.place(filter, SYS_fcntl);
  Filter::Place by_owner =
      key.locks == 0 ? unknown : if_by_launcher(filter, key.locks, allowed, unknown);
  // Each of the two begins with a load.
  const Filter::Place open_file = filter.if_equal(F_OFD_GETLK, by_owner, otherwise);
  const Filter::Place open_file_set = filter.if_equal(F_OFD_SETLK, by_owner, open_file);
  const Filter::Place open_file_wait = filter.if_equal(F_OFD_SETLKW, unknown, open_file_set);
  const Filter::Place tell = filter.if_equal(F_GETLK, asked, open_file_wait);
  const Filter::Place set = filter.if_equal(F_SETLK, asked, tell);
  filter.if_equal(F_SETLKW, asked, set);
  calls.go(SYS_fcntl, filter.load_argument(1));
}

// Without a mount and network namespace of its own the names of sockets are the host's. So there
// are pairs only, connected from the start, and no call names an address: of a pair's end too it
// could be sent to, and bind takes a service's name. An end of a pair of datagrams can be connected
// anew (net/unix/af_unix.c, unix_dgram_connect).
void restrict_sockets(Filter& filter, Calls& calls) {
  constexpr std::uint32_t kTypeMask = 0xf;  // beside SOCK_NONBLOCK and SOCK_CLOEXEC (linux/net.h)
  for (const int call : {SYS_socket, SYS_bind, SYS_connect, SYS_sendmsg, SYS_sendmmsg}) {
    calls.answer(call, refuse(EACCES));
  }
  const Filter::Place denied = filter.answer(refuse(EACCES));
  filter.if_equal(SOCK_DGRAM, denied, calls.place(filter, SYS_socketpair));
  filter.keep(kTypeMask);
  calls.go(SYS_socketpair, filter.load_argument(1));
  // No address: the fifth argument is null.
  filter.if_equal(0, filter.answer(kAllow), denied);
  const Filter::Place low = filter.load_argument(4);
  filter.if_equal(0, low, denied);
  calls.go(SYS_sendto, filter.load_argument_high(4));
}

// Without a root of its own the files of the host have names here. What Landlock does not cover
// (landlock(7), "Filesystem flags"; AppArmor neither) and reads or changes them is refused.
void restrict_names(Calls& calls) {
  for (const int call : kAttributesByName) {
    calls.answer(call, refuse(EOPNOTSUPP));
  }
  for (const int call : kOwners) {
    calls.answer(call, refuse(EPERM));
  }
}

// Shared memory is of files only: pages that MADV_DONTNEED has taken out of every resident set stay
// allocated.
void restrict_memory(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  const Filter::Place denied = filter.answer(refuse(EACCES));
  const Filter::Place allowed = filter.answer(kAllow);
  Filter::Place own = allowed;
  // No asking for what would be granted: a signal may interrupt it (seccomp_unotify(2)), and mmap
  // knows no EINTR.
  if (policy.refused_above != 0 && policy.count == CountPolicy::kAsk) {
    const Filter::Place asked = filter.answer(SECCOMP_RET_USER_NOTIF);
    filter.if_any_bit(PROT_WRITE, asked, allowed);
    const Filter::Place by_protection = filter.load_argument(2);
    own = if_larger(filter, 1, policy.refused_above, by_protection, allowed);
    calls.go(SYS_mremap, if_larger(filter, 2, policy.refused_above, asked, allowed));
  }
  // MAP_SHARED is a bit of MAP_SHARED_VALIDATE too.
  // In the place of others there may be room for more than the limit (mm/mmap.c, mmap_region).
  const Filter::Place elsewhere = filter.if_any_bit(MAP_FIXED, allowed, own);
  const Filter::Place anonymous = filter.if_any_bit(MAP_SHARED, denied, elsewhere);
  filter.if_any_bit(MAP_ANONYMOUS, anonymous, allowed);
  calls.go(SYS_mmap, filter.load_argument(3));
}

// msync writes nothing out (core/seccomp_table.h, kAnswered); without MS_SYNC it tells what is
// mapped, which stack unwinders ask for.
void restrict_msync(Filter& filter, Calls& calls) {
  filter.if_any_bit(MS_SYNC, filter.answer(refuse(0)), filter.answer(kAllow));
  calls.go(SYS_msync, filter.load_argument(2));
}

// No signals of descriptors.
void restrict_file_flags(Filter& filter, Calls& calls) {
  const Filter::Place denied = filter.answer(refuse(EACCES));
  const Filter::Place allowed = filter.answer(kAllow);
  filter.if_any_bit(O_ASYNC, denied, allowed);
  const Filter::Place flags = filter.load_argument(2);
  filter.if_equal(F_SETFL, flags, allowed);
  calls.go(SYS_fcntl, filter.load_argument(1));
}

// A process that has prepared its Landlock domain enters it under the filter. The program has no
// ruleset to do it with: each rule would be kernel memory that is in no sum.
void restrict_landlock(Calls& calls, ExecPolicy exec, const Spec& spec) {
  if (exec == ExecPolicy::kDeny || spec.has(kReaperByUid)) {
    calls.answer(SYS_landlock_restrict_self, kAllow);
  }
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
  calls.answer(SYS_openat2, refuse(ENOSYS));
  calls.answer(SYS_truncate, refuse(EACCES));
}

// Calls that take a process and would reach the launcher, which has the same uid: its limits,
// priority and processors decide how well it watches. Nor may a step of a session reach the state
// that it is a fork of, whose limits each later step would have: whose the target is PID 1 knows
// (launcher/step_signals.h).
void protect_others(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  const auto number = static_cast<std::uint32_t>(policy.launcher);
  const Filter::Place refused = filter.answer(refuse(EPERM));
  const Filter::Place allowed = filter.answer(kAllow);
  // 0 is the caller itself.
  const Filter::Place other =
      is_of_cell(policy) ? filter.if_equal(0, allowed, filter.answer(SECCOMP_RET_USER_NOTIF))
                         : allowed;
  const auto by_number = [&](std::size_t argument) {
    filter.if_equal(number, refused, other);
    return filter.load_argument(argument);
  };
  const Filter::Place by_first = by_number(0);
  for (const int call :
       {SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam}) {
    calls.go(call, by_first);
  }
  // These first take what the number means; by group or by user the launcher could be among them.
  const Filter::Place by_second = by_number(1);
  filter.if_equal(0 /* PRIO_PROCESS */, by_second, refused);
  calls.go(SYS_setpriority, filter.load_argument(0));
  filter.if_equal(1 /* IOPRIO_WHO_PROCESS */, by_second, refused);
  calls.go(SYS_ioprio_set, filter.load_argument(0));
}

// A core pattern that is a pipe has the host run its program, as root, at every limit but 1
// (fs/coredump.c, coredump_pipe), which is what the launcher has set. To set another is answered as
// done: there are no core dumps either way.
void keep_core_limit(Filter& filter, Calls& calls) {
  const Filter::Place done = filter.answer(refuse(0));
  const Filter::Place other = calls.place(filter, SYS_prlimit64);
  filter.if_equal(RLIMIT_CORE, done, other);
  const Filter::Place by_resource = filter.load_argument(1);
  // To read it, no new limit is given.
  filter.if_equal(0, other, by_resource);
  const Filter::Place low = filter.load_argument(2);
  filter.if_equal(0, low, by_resource);
  calls.go(SYS_prlimit64, filter.load_argument_high(2));
  filter.if_equal(RLIMIT_CORE, done, filter.answer(kAllow));
  calls.go(SYS_setrlimit, filter.load_argument(0));
}

// Only what is allowed: whoever holds the listener has the kernel go on, past all that follows
// here.
void tell_attempts(Filter& filter, Calls& calls, const FilterPolicy& policy) {
  if (!policy.explains()) {
    return;
  }
  const Filter::Place asked = filter.answer(SECCOMP_RET_USER_NOTIF);
  const Filter::Place allowed = filter.answer(kAllow);
  const Filter::Place before_end =
      filter.if_at_least(static_cast<std::uint32_t>(policy.own_code_end), asked, allowed);
  filter.if_at_least(static_cast<std::uint32_t>(policy.own_code), before_end, asked);
  const Filter::Place low = filter.load(offsetof(seccomp_data, instruction_pointer));
  filter.if_equal(static_cast<std::uint32_t>(policy.own_code >> 32U), low, asked);
  const Filter::Place by_code =
      filter.load(offsetof(seccomp_data, instruction_pointer) + sizeof(std::uint32_t));
  for (const int call : {
#if defined(SYS_open)
         SYS_open, SYS_creat, SYS_mkdir,
#endif
             SYS_openat, SYS_mkdirat, SYS_execve, SYS_execveat,
       }) {
    if (calls.is_allowed(call)) {
      calls.go(call, by_code);
    }
  }
}

}  // namespace codejail
