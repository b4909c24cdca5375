// The arguments of the filter: of each system call that does many things, those that programs need.
// One value a line, and why. Whatever is not here is denied, whether a kernel knows it or will.
// What programs ask for was seen under strace(1): CPython, numpy, C and C++ with glibc and musl,
// the JDK, Node, Ruby, Go, Bash and coreutils, Perl, Lua (test/programs).
#pragma once

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/random.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

namespace codejail {

using Value = std::uint32_t;

// ---- prctl. Others are answered EINVAL, as by a kernel that is older than they are.

constexpr Value kPrctlOptions[] = {
    PR_SET_NAME,             // threads of Java, Python and Ruby, pthread_setname_np
    PR_GET_NAME,             // pthread_getname_np
    PR_SET_PDEATHSIG,        // children that end with their parent; the launcher's own child
    PR_GET_PDEATHSIG,        //
    PR_SET_CHILD_SUBREAPER,  // the steps of sessions, to set it; else as unknown
    PR_GET_DUMPABLE,         // sanitizers, crash reporters
    PR_GET_SECCOMP,          // "am I in a sandbox", the probe
    PR_GET_NO_NEW_PRIVS,     // the same
    PR_SET_NO_NEW_PRIVS,     // in force already; programs that confine their own children
    PR_CAPBSET_READ,         // libcap, and the probe: its own bounding set
    PR_SET_TIMERSLACK,       // programs that keep time
    PR_GET_TIMERSLACK,       //
    PR_SET_THP_DISABLE,      // Ruby, the JDK, Redis: fewer pages
    PR_GET_THP_DISABLE,      // the JDK
    0x41555856,              // PR_GET_AUXV: runtimes that have no other way to it
#if defined(__aarch64__)
    50,  // PR_SVE_SET_VL: the JDK
    51,  // PR_SVE_GET_VL: the JDK, OpenBLAS
    64,  // PR_SME_GET_VL: OpenBLAS
#endif
};

#if defined(__x86_64__)
// ---- arch_prctl. Others EINVAL: glibc asks for shadow stacks, and takes that for "none".

constexpr Value kArchPrctlOptions[] = {
    ARCH_SET_FS,  // every program: its thread-local storage
    ARCH_GET_FS,  //
    0x1021,       // ARCH_GET_XCOMP_SUPP: matrix registers, linear algebra
    0x1022,       // ARCH_GET_XCOMP_PERM
    0x1023,       // ARCH_REQ_XCOMP_PERM: 8 KiB for each thread that uses them
};
#endif

// ---- ioctl. Others ENOTTY, the answer of whatever is no terminal, and there is none in a jail.

constexpr Value kIoctlRequests[] = {
    TCGETS,                        // isatty(3), by every runtime
    0x802c542a,                    // TCGETS2: isatty(3) since glibc 2.42
    TIOCGWINSZ,                    // os.get_terminal_size, shells
    TIOCGPGRP,                     // shells: is there job control
    FIOCLEX,                       // CPython, os.set_inheritable
    FIONCLEX,                      // the same
    FIONBIO,                       // CPython, libuv: without waiting
    FIONREAD,                      // how much can be read; Java, Ruby, Perl
    SECCOMP_IOCTL_NOTIF_RECV,      // the launcher's listener; a program has none
    SECCOMP_IOCTL_NOTIF_SEND,      // the same
    SECCOMP_IOCTL_NOTIF_ADDFD,     // the same
    SECCOMP_IOCTL_NOTIF_ID_VALID,  // the same
};

// ---- fcntl. Others EACCES. No lease, for which everybody else's open of the file waits; no word
// of what others read in a directory (F_NOTIFY); no signal of a descriptor (F_SETOWN, F_SETSIG); no
// larger pipes, whose pages are counted for a user.

constexpr Value kFcntlCommands[] = {
    F_DUPFD,          // shells
    F_DUPFD_CLOEXEC,  // CPython, shells
    F_GETFD,          //
    F_SETFD,          //
    F_GETFL,          //
    F_SETFL,          // but O_ASYNC
    F_GETLK,          // record locks: SQLite, Java
    F_SETLK,          //
    F_SETLKW,         //
    F_OFD_GETLK,      // of open files: the supervisor alone, EINVAL for the program
    F_OFD_SETLK,      //
    F_OFD_SETLKW,     //
    F_GETPIPE_SZ,     // coreutils
};

// ---- Sockets: of this host's own only, and none by another protocol, which may be a module to
// load.

constexpr Value kSocketFamilies[] = {
    AF_UNIX,  // asyncio's own pair, multiprocessing, servers in `tmp`
};
constexpr Value kSocketTypes[] = {
    SOCK_STREAM,     //
    SOCK_DGRAM,      //
    SOCK_SEQPACKET,  //
};
constexpr Value kSocketTypeFlags[] = {
    SOCK_CLOEXEC,   //
    SOCK_NONBLOCK,  //
};
constexpr Value kNoProtocol[] = {
    0,  // the family's only one
};

// setsockopt and getsockopt. Others EACCES: no filters (SO_ATTACH_FILTER), whose code is compiled
// into memory of the whole host's; buffers stay at the host's default, since what waits in them is
// in no sum.
constexpr Value kSocketOptionLevels[] = {
    SOL_SOCKET,  // a Unix socket has no other
};
constexpr Value kSocketOptionsToSet[] = {
    SO_REUSEADDR,  // servers of Python, Go, Node; without effect
    SO_REUSEPORT,  // Java; without effect
    SO_KEEPALIVE,  // the same
    SO_LINGER,     // the same
    SO_PASSCRED,   // who sent it
#if defined(SO_RCVTIMEO_OLD)
    SO_RCVTIMEO_OLD,  // time-outs
    SO_SNDTIMEO_OLD,  //
    SO_RCVTIMEO_NEW,  // the same, with a wider time
    SO_SNDTIMEO_NEW,  //
#else
    SO_RCVTIMEO,  SO_SNDTIMEO,
#endif
};
constexpr Value kSocketOptionsToGet[] = {
    SO_ERROR,       // after each connect that did not wait
    SO_TYPE,        // CPython, socket.socket(fileno=…)
    SO_DOMAIN,      // the same
    SO_PROTOCOL,    // the same
    SO_ACCEPTCONN,  // is it a server's
    SO_PEERCRED,    // who is there
    SO_PASSCRED,    //
    SO_SNDBUF,      // Java, Node: how large
    SO_RCVBUF,      // the same
    SO_REUSEADDR,   //
    SO_REUSEPORT,   //
    SO_KEEPALIVE,   //
    SO_LINGER,      //
#if defined(SO_RCVTIMEO_OLD)
    SO_RCVTIMEO_OLD,  //
    SO_SNDTIMEO_OLD,  //
    SO_RCVTIMEO_NEW,  //
    SO_SNDTIMEO_NEW,  //
#else
    SO_RCVTIMEO,   SO_SNDTIMEO,
#endif
};

// Flags of what is sent and received. Others EACCES: no MSG_OOB, whose bytes wait beside the queue.
constexpr Value kSendFlags[] = {
    MSG_NOSIGNAL,  // nearly all
    MSG_DONTWAIT,  // Ruby, Node
    MSG_EOR,       // of packets
};
constexpr Value kReceiveFlags[] = {
    MSG_DONTWAIT,      // Ruby, Node
    MSG_PEEK,          // ssl, HTTP servers
    MSG_WAITALL,       //
    MSG_TRUNC,         // the length of a packet
    MSG_CMSG_CLOEXEC,  // CPython, socket.recv_fds
    MSG_NOSIGNAL,      // without effect
};
constexpr Value kReceiveManyFlags[] = {
    MSG_DONTWAIT,      //
    MSG_PEEK,          //
    MSG_TRUNC,         //
    MSG_WAITFORONE,    //
    MSG_CMSG_CLOEXEC,  //
};

// ---- Memory

// madvise. Others EINVAL, which allocators take for an older kernel: nothing that makes a program's
// pages those of others too (MADV_MERGEABLE), takes them out of every resident set (MADV_PAGEOUT,
// MADV_COLD), breaks the machine's (MADV_HWPOISON) or fills tables that nobody counts
// (MADV_GUARD_INSTALL, MADV_POPULATE_READ).
constexpr Value kAdvice[] = {
    MADV_NORMAL,      //
    MADV_RANDOM,      // databases, mapped files
    MADV_SEQUENTIAL,  // the same
    MADV_WILLNEED,    // the same
    MADV_DONTNEED,    // every allocator: back to the kernel
    MADV_FREE,        // the same, when it likes: jemalloc, Go
    MADV_DONTFORK,    // V8
    MADV_DOFORK,      // the same
    MADV_HUGEPAGE,    // Go, the JDK, numpy
    MADV_NOHUGEPAGE,  // Go, thread stacks of the JDK
    MADV_DONTDUMP,    // secrets; the JDK
    MADV_DODUMP,      // the same
    MADV_WIPEONFORK,  // random numbers of OpenSSL and BoringSSL
    MADV_KEEPONFORK,  // the same
    23,               // MADV_POPULATE_WRITE: forks of a session; as to write to each page
};
// mmap and mprotect. Others EACCES.
constexpr Value kProtections[] = {
    PROT_READ,   //
    PROT_WRITE,  //
    PROT_EXEC,   // every library; what the JDK, V8 and libffi compile
#if defined(__aarch64__)
    0x10,  // PROT_BTI: the dynamic loader
#endif
};
constexpr Value kChangedProtections[] = {
    PROT_READ,       //
    PROT_WRITE,      //
    PROT_EXEC,       //
    PROT_GROWSDOWN,  // glibc, for a library that wants the stack executable
#if defined(__aarch64__)
    0x10,  // PROT_BTI
#endif
};
// Nothing that a limit would not see: what grows down counts as a stack, which RLIMIT_DATA leaves
// out (mm/mmap.c, is_data_mapping); huge pages (MAP_HUGETLB) are in no resident set; what is in
// none when memory is short (MAP_DROPPABLE).
constexpr Value kMappingFlags[] = {
    MAP_SHARED,           // of files; anonymous ones are denied in seccomp_rules.cc
    MAP_PRIVATE,          //
    MAP_FIXED,            // the dynamic loader
    MAP_FIXED_NOREPLACE,  // V8, sanitizers
    MAP_ANONYMOUS,        //
    MAP_DENYWRITE,        // the dynamic loader; without effect
    MAP_EXECUTABLE,       // without effect
    MAP_NORESERVE,        // heaps of the JDK, Go, V8
    MAP_POPULATE,         //
    MAP_NONBLOCK,         // with MAP_POPULATE
    MAP_STACK,            // thread stacks
#if defined(__x86_64__)
    MAP_32BIT,  // compilers that jump within 2 GiB: LuaJIT, Mono
#endif
};
constexpr Value kRemapFlags[] = {
    MREMAP_MAYMOVE,  // realloc(3)
    MREMAP_FIXED,    //
};

// ---- Threads and processes

// clone: which of these go together is in seccomp_rules.cc. Others EPERM: no new namespace, nothing
// to trace.
constexpr Value kCloneFlags[] = {
    0x11,                  // bits of SIGCHLD
    CLONE_VM,              // threads; vfork of posix_spawn(3), Go, libuv
    CLONE_VFORK,           //
    CLONE_FS,              // threads, all of the next lines
    CLONE_FILES,           //
    CLONE_SIGHAND,         //
    CLONE_THREAD,          //
    CLONE_SYSVSEM,         //
    CLONE_SETTLS,          //
    CLONE_PARENT_SETTID,   //
    CLONE_CHILD_CLEARTID,  // fork(3) too
    CLONE_CHILD_SETTID,    // the same
    0x00400000,            // CLONE_DETACHED: musl; without effect
    0x00001000,            // CLONE_PIDFD: Go, pidfd_spawn(3)
    CLONE_PARENT,          // states of sessions, when PID 1 says so; else EPERM
};
// futex. Others ENOSYS: not FUTEX_CMP_REQUEUE_PI (CVE-2014-3153), which glibc gave up with 2.25.
constexpr Value kFutexOperations[] = {
    FUTEX_WAKE,         // all
    FUTEX_WAIT,         // all
    FUTEX_WAIT_BITSET,  // glibc, until a time
    FUTEX_WAKE_BITSET,  // Rust, C++
    FUTEX_REQUEUE,      // musl's conditions
    FUTEX_CMP_REQUEUE,  // glibc's conditions before 2.25
    FUTEX_WAKE_OP,      // the same
    FUTEX_LOCK_PI,      // PTHREAD_PRIO_INHERIT
    FUTEX_UNLOCK_PI,    // the same
    FUTEX_TRYLOCK_PI,   // the same
    13,                 // FUTEX_LOCK_PI2: the same, until a monotonic time
};
constexpr Value kFutexFlags[] = {
    FUTEX_PRIVATE_FLAG,    //
    FUTEX_CLOCK_REALTIME,  //
};
// Others EPERM: no real-time class, and none that a program of the host's makes (SCHED_EXT).
constexpr Value kSchedulingPolicies[] = {
    SCHED_OTHER,  //
    SCHED_BATCH,  // less than others
    SCHED_IDLE,   // much less
};
constexpr Value kSchedulingFlags[] = {
    0x40000000,  // SCHED_RESET_ON_FORK
};
// Others EINVAL: of the caller's own threads only, since the rest stop the processors of others.
constexpr Value kMemoryBarriers[] = {
    0,       // MEMBARRIER_CMD_QUERY
    1 << 3,  // PRIVATE_EXPEDITED: the JDK, .NET, liburcu
    1 << 4,  // its registration
    1 << 5,  // PRIVATE_EXPEDITED_SYNC_CORE: compilers, on arm64
    1 << 6,  // its registration
};
constexpr Value kResources[] = {
    RLIMIT_CPU,   RLIMIT_FSIZE,      RLIMIT_DATA,  RLIMIT_STACK,  // resource, ulimit
    RLIMIT_CORE,  RLIMIT_RSS,        RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS,
    RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_NICE,  RLIMIT_RTPRIO, RLIMIT_RTTIME,  RLIMIT_MSGQUEUE,
};
constexpr Value kWaitOptions[] = {
    WNOHANG,     //
    WUNTRACED,   // of waitid WSTOPPED
    WEXITED,     //
    WCONTINUED,  //
    WNOWAIT,     // libuv, asyncio
    0x20000000,  // __WNOTHREAD
    0x40000000,  // __WALL: the launcher
    0x80000000,  // __WCLONE
};
constexpr Value kWaitFor[] = {
    P_ALL,   //
    P_PID,   //
    P_PGID,  //
    3,       // P_PIDFD: asyncio, Go
};
constexpr Value kPidfdFlags[] = {
    O_NONBLOCK,  // PIDFD_NONBLOCK: asyncio
};

// ---- Flags of what makes or moves descriptors, files and timers. Others EINVAL, as of old
// kernels.

constexpr Value kNoFlags[] = {
    0,
};
constexpr Value kCloseRangeFlags[] = {
    1U << 2U,  // CLOSE_RANGE_CLOEXEC; not _UNSHARE, a table of descriptors for each thread
};
constexpr Value kPipeFlags[] = {
    O_CLOEXEC,   //
    O_NONBLOCK,  //
    O_DIRECT,    // packets; not O_EXCL, a queue of notifications of the kernel's
};
constexpr Value kCloseOnExec[] = {
    O_CLOEXEC,  // EPOLL_CLOEXEC too
};
constexpr Value kDescriptorFlags[] = {
    O_CLOEXEC,   // SFD_, TFD_ and SOCK_CLOEXEC too
    O_NONBLOCK,  //
};
constexpr Value kEventfdFlags[] = {
    EFD_SEMAPHORE,  //
    EFD_CLOEXEC,    //
    EFD_NONBLOCK,   //
};
// open and openat. Others EINVAL, as openat2(2) has it: no signals of a descriptor (O_ASYNC).
constexpr Value kOpenFlags[] = {
    O_ACCMODE,    // for reading, for writing, or both
    O_CREAT,      //
    O_EXCL,       //
    O_NOCTTY,     // the dynamic loader of musl, terminals
    O_TRUNC,      //
    O_APPEND,     //
    O_NONBLOCK,   // directories: Go, os.scandir of old C libraries
    O_DSYNC,      // databases
    O_SYNC,       // the same
    O_DIRECT,     // the same
    O_DIRECTORY,  // opendir(3)
    O_NOFOLLOW,   //
    O_NOATIME,    // tar, git
    O_CLOEXEC,    // nearly all
    O_PATH,       // shutil.rmtree, coreutils
    O_TMPFILE,    // tempfile.TemporaryFile
#if defined(__x86_64__)
    0x8000,  // O_LARGEFILE: Go, musl, the JDK
#else
    0x20000,  // the same
#endif
};
// statx. Others EINVAL: no word to a file server for each (AT_STATX_FORCE_SYNC).
constexpr Value kStatxFlags[] = {
    AT_SYMLINK_NOFOLLOW,  // lstat(2): Node, Rust, coreutils
    AT_NO_AUTOMOUNT,      // coreutils
    AT_EMPTY_PATH,        // fstat(2): glibc, Rust
    0x4000,               // AT_STATX_DONT_SYNC: coreutils
};
// splice and tee. Others EINVAL: no page that stays its maker's (SPLICE_F_GIFT).
constexpr Value kSpliceFlags[] = {
    1,  // SPLICE_F_MOVE: coreutils; without effect
    2,  // SPLICE_F_NONBLOCK: Go
    4,  // SPLICE_F_MORE
};
constexpr Value kRenameFlags[] = {
    RENAME_NOREPLACE,  // mv(1)
    RENAME_EXCHANGE,   //
};
constexpr Value kAllocationModes[] = {
    FALLOC_FL_KEEP_SIZE,   //
    FALLOC_FL_PUNCH_HOLE,  // databases
    FALLOC_FL_ZERO_RANGE,  // the same
};
constexpr Value kReadAndWriteFlags[] = {
    RWF_HIPRI,   // os.preadv and os.pwritev name all of these
    RWF_DSYNC,   //
    RWF_SYNC,    //
    RWF_NOWAIT,  //
    RWF_APPEND,  //
};
constexpr Value kRandomFlags[] = {
    GRND_NONBLOCK,  // every start of Python; of malloc(3) in glibc
    GRND_RANDOM,    //
    4,              // GRND_INSECURE
};
constexpr Value kTimerClocks[] = {
    CLOCK_REALTIME,            // timeout(1)
    CLOCK_MONOTONIC,           // Ruby
    CLOCK_BOOTTIME,            //
    CLOCK_PROCESS_CPUTIME_ID,  // musl
    CLOCK_THREAD_CPUTIME_ID,   // Go's profiler
    0xfffffffa,                // the process's CPU time, as glibc has it
    0xfffffffe,                // the thread's
};
constexpr Value kTimerfdClocks[] = {
    CLOCK_REALTIME,   //
    CLOCK_MONOTONIC,  //
    CLOCK_BOOTTIME,   //
};
constexpr Value kSequenceFlags[] = {
    1,  // RSEQ_FLAG_UNREGISTER: the end of a thread
};

// ---- Which argument of which call has to be among which values.

// What the kernel reads of an argument, by the type that its own definition gives it
// (SYSCALL_DEFINE…): of an `int` the low half, of an `unsigned long` all of it.
enum class Reads : std::uint8_t { kLowHalf, kAll };

struct Argument {
  const Value* values;
  std::size_t count;
  int call;
  int error;
  // Bits that may be there beside one of the values.
  Value beside;
  std::uint8_t index;
  Reads reads;
  // One of the values, or any of their bits at once.
  bool is_bits;
};

constexpr std::size_t kMostValues = 32;

template <std::size_t kCount>
constexpr Value bits_of(const Value (&values)[kCount]) {
  Value all = 0;
  for (const Value value : values) {
    all |= value;
  }
  return all;
}
template <std::size_t kCount>
constexpr Argument one_of(int call, std::uint8_t index, Reads reads, const Value (&values)[kCount],
                          int error, Value beside = 0) {
  static_assert(kCount <= kMostValues);
  return {values, kCount, call, error, beside, index, reads, false};
}
template <std::size_t kCount>
constexpr Argument any_of(int call, std::uint8_t index, Reads reads, const Value (&values)[kCount],
                          int error) {
  return {values, kCount, call, error, 0, index, reads, true};
}

// Of a call with several, all have to hold.
constexpr Argument kArguments[] = {
    one_of(SYS_prctl, 0, Reads::kLowHalf, kPrctlOptions, EINVAL),
#if defined(__x86_64__)
    one_of(SYS_arch_prctl, 0, Reads::kLowHalf, kArchPrctlOptions, EINVAL),
#endif
    one_of(SYS_ioctl, 1, Reads::kLowHalf, kIoctlRequests, ENOTTY),
    one_of(SYS_fcntl, 1, Reads::kLowHalf, kFcntlCommands, EACCES),

    one_of(SYS_socket, 0, Reads::kLowHalf, kSocketFamilies, EACCES),
    one_of(SYS_socket, 1, Reads::kLowHalf, kSocketTypes, EACCES, bits_of(kSocketTypeFlags)),
    one_of(SYS_socket, 2, Reads::kLowHalf, kNoProtocol, EACCES),
    one_of(SYS_socketpair, 0, Reads::kLowHalf, kSocketFamilies, EACCES),
    one_of(SYS_socketpair, 1, Reads::kLowHalf, kSocketTypes, EACCES, bits_of(kSocketTypeFlags)),
    one_of(SYS_socketpair, 2, Reads::kLowHalf, kNoProtocol, EACCES),
    one_of(SYS_setsockopt, 1, Reads::kLowHalf, kSocketOptionLevels, EACCES),
    one_of(SYS_setsockopt, 2, Reads::kLowHalf, kSocketOptionsToSet, EACCES),
    one_of(SYS_getsockopt, 1, Reads::kLowHalf, kSocketOptionLevels, EACCES),
    one_of(SYS_getsockopt, 2, Reads::kLowHalf, kSocketOptionsToGet, EACCES),
    any_of(SYS_accept4, 3, Reads::kLowHalf, kDescriptorFlags, EINVAL),
    any_of(SYS_sendto, 3, Reads::kLowHalf, kSendFlags, EACCES),
    any_of(SYS_sendmsg, 2, Reads::kLowHalf, kSendFlags, EACCES),
    any_of(SYS_sendmmsg, 3, Reads::kLowHalf, kSendFlags, EACCES),
    any_of(SYS_recvfrom, 3, Reads::kLowHalf, kReceiveFlags, EACCES),
    any_of(SYS_recvmsg, 2, Reads::kLowHalf, kReceiveFlags, EACCES),
    any_of(SYS_recvmmsg, 3, Reads::kLowHalf, kReceiveManyFlags, EACCES),

    one_of(SYS_madvise, 2, Reads::kLowHalf, kAdvice, EINVAL),
    any_of(SYS_mmap, 2, Reads::kAll, kProtections, EACCES),
    any_of(SYS_mmap, 3, Reads::kAll, kMappingFlags, EACCES),
    any_of(SYS_mprotect, 2, Reads::kAll, kChangedProtections, EACCES),
    any_of(SYS_pkey_mprotect, 2, Reads::kAll, kChangedProtections, EACCES),
    one_of(SYS_pkey_alloc, 0, Reads::kAll, kNoFlags, EINVAL),
    any_of(SYS_mremap, 3, Reads::kAll, kRemapFlags, EINVAL),
    one_of(462 /* mseal */, 2, Reads::kAll, kNoFlags, EINVAL),

    any_of(SYS_clone, 0, Reads::kAll, kCloneFlags, EPERM),
    one_of(SYS_futex, 1, Reads::kLowHalf, kFutexOperations, ENOSYS, bits_of(kFutexFlags)),
    one_of(SYS_sched_setscheduler, 1, Reads::kLowHalf, kSchedulingPolicies, EPERM,
           bits_of(kSchedulingFlags)),
    one_of(SYS_membarrier, 0, Reads::kLowHalf, kMemoryBarriers, EINVAL),
    one_of(SYS_membarrier, 1, Reads::kLowHalf, kNoFlags, EINVAL),
    one_of(SYS_prlimit64, 1, Reads::kLowHalf, kResources, EINVAL),
    one_of(SYS_setrlimit, 0, Reads::kLowHalf, kResources, EINVAL),
    any_of(SYS_wait4, 2, Reads::kLowHalf, kWaitOptions, EINVAL),
    one_of(SYS_waitid, 0, Reads::kLowHalf, kWaitFor, EINVAL),
    any_of(SYS_waitid, 3, Reads::kLowHalf, kWaitOptions, EINVAL),
    any_of(SYS_pidfd_open, 1, Reads::kLowHalf, kPidfdFlags, EINVAL),
    one_of(SYS_pidfd_send_signal, 3, Reads::kLowHalf, kNoFlags, EINVAL),

    any_of(SYS_close_range, 2, Reads::kLowHalf, kCloseRangeFlags, EINVAL),
    any_of(SYS_pipe2, 1, Reads::kLowHalf, kPipeFlags, EINVAL),
    any_of(SYS_dup3, 2, Reads::kLowHalf, kCloseOnExec, EINVAL),
    any_of(SYS_epoll_create1, 0, Reads::kLowHalf, kCloseOnExec, EINVAL),
    any_of(SYS_eventfd2, 1, Reads::kLowHalf, kEventfdFlags, EINVAL),
    any_of(SYS_signalfd4, 3, Reads::kLowHalf, kDescriptorFlags, EINVAL),
    one_of(SYS_timerfd_create, 0, Reads::kLowHalf, kTimerfdClocks, EINVAL),
    any_of(SYS_timerfd_create, 1, Reads::kLowHalf, kDescriptorFlags, EINVAL),
    one_of(SYS_timer_create, 0, Reads::kLowHalf, kTimerClocks, EINVAL),
#if defined(SYS_open)
    any_of(SYS_open, 1, Reads::kLowHalf, kOpenFlags, EINVAL),
#endif
    any_of(SYS_openat, 2, Reads::kLowHalf, kOpenFlags, EINVAL),
    any_of(SYS_statx, 2, Reads::kLowHalf, kStatxFlags, EINVAL),
    any_of(SYS_splice, 5, Reads::kLowHalf, kSpliceFlags, EINVAL),
    any_of(SYS_tee, 3, Reads::kLowHalf, kSpliceFlags, EINVAL),
    any_of(SYS_renameat2, 4, Reads::kLowHalf, kRenameFlags, EINVAL),
    any_of(SYS_fallocate, 1, Reads::kLowHalf, kAllocationModes, EOPNOTSUPP),
    any_of(SYS_preadv2, 5, Reads::kLowHalf, kReadAndWriteFlags, EOPNOTSUPP),
    any_of(SYS_pwritev2, 5, Reads::kLowHalf, kReadAndWriteFlags, EOPNOTSUPP),
    any_of(SYS_getrandom, 2, Reads::kLowHalf, kRandomFlags, EINVAL),
    any_of(SYS_rseq, 2, Reads::kLowHalf, kSequenceFlags, EINVAL),
};

}  // namespace codejail
