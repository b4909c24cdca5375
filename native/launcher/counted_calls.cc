#include "launcher/counted_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

namespace codejail {
namespace {

// What a jail of the usual fifteen tasks may have; one that may have more tasks, more of each
// (SECURITY.md has the sums).
constexpr std::uint64_t kUsualTasks = 15;
constexpr std::uint64_t kMostTasks = 960;
constexpr std::uint64_t kEpolls = 32;
constexpr std::uint64_t kMostEpolls = 64;
constexpr std::uint64_t kWatches = 160;
constexpr std::uint64_t kSockets = 96;

// Of a cell the number of tasks comes with its call, and is as a rule the usual one.
std::uint64_t scaled(std::uint64_t usual, const SpecHeader& header) {
  const std::uint64_t limit = header.rlimits[RLIMIT_NPROC];
  const std::uint64_t tasks = limit == kUnlimited ? kUsualTasks : std::min(limit, kMostTasks);
  return std::max(usual, usual * tasks / kUsualTasks);
}

// This process holds every one, beside some eighty others: of few that it may have, it takes few.
std::uint64_t affordable_epolls() {
  constexpr rlim_t kPlenty = 120;
  constexpr rlim_t kShare = 8;
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kPlenty
             ? kMostEpolls
             : std::max<rlim_t>(limit.rlim_cur / kShare, 1);
}

}  // namespace

CountedCalls::CountedCalls(const SpecHeader& header, const Descriptor& tmp, const LauncherKey& key)
    : proc_(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      allocations_(header),
      epolls_(std::min(scaled(kEpolls, header), affordable_epolls()), scaled(kWatches, header)),
      sockets_(scaled(kSockets, header), (header.namespaces & CLONE_NEWNET) != 0),
      locks_(proc_, tmp, header.uid, key),
      stand_ins_(proc_, key) {}

bool CountedCalls::answer(const Descriptor& listener, const Notification& call) {
  // Whoever is killed or interrupted meanwhile makes nothing: it is counted until the next look.
  const auto decide = [&](bool is_granted, int error) {
    return is_granted ? call.go_on(listener) : call.refuse(listener, error);
  };
  constexpr int kTypeMask = 0xf;  // beside SOCK_NONBLOCK and SOCK_CLOEXEC (linux/net.h)
  const int type = static_cast<int>(call.argument(1)) & kTypeMask;
  switch (call.number()) {
#if defined(SYS_epoll_create)
    case SYS_epoll_create:
#endif
    case SYS_epoll_create1:
      return lend_epoll(listener, call);
    case SYS_epoll_ctl:
      return decide(epolls_.take_watch(proc_), ENOSPC);
    case SYS_socket:
      return decide(sockets_.take(proc_, type, 1), EMFILE);
    case SYS_socketpair:
      return decide(sockets_.take(proc_, type, 2), EMFILE);
    case SYS_connect:
      return decide(sockets_.take_connection(proc_), ENOBUFS);
    case SYS_mmap:
    case SYS_mremap:
      allocations_.look(proc_, call);
      return call.go_on(listener);
    default:
      return locks_.answer(listener, call);
  }
}

bool CountedCalls::lend_epoll(const Descriptor& listener, const Notification& call) {
  const auto argument = static_cast<int>(call.argument(0));
  const bool has_flags = call.number() == SYS_epoll_create1;
  if (has_flags ? (argument & ~EPOLL_CLOEXEC) != 0 : argument <= 0) {
    return call.refuse(listener, EINVAL);
  }
  const int epoll = epolls_.lend(proc_);
  // Where it is not given after all, the next look finds that nobody has it.
  const bool is_closed_by_exec = has_flags && (argument & EPOLL_CLOEXEC) != 0;
  return epoll < 0 ? call.refuse(listener, EMFILE)
                   : call.give(listener, epoll, is_closed_by_exec ? O_CLOEXEC : 0);
}

}  // namespace codejail
