#include "launcher/network_namespaces.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace codejail {
namespace {

// More than that many are not kept for cells to come: each takes some of the kernel's memory.
constexpr std::size_t kMostUnused = 16;

// A socket that is on its way in another one can outlive every process, until the kernel collects
// such circles (net/unix/garbage.c); its name would still be taken. The first line is the table's
// head. Read anew each time: it is the table of the reader's own namespace.
bool has_sockets() {
  const Descriptor table(open("/proc/self/net/unix", O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t count = table.valid() ? read(table.get(), text, sizeof(text)) : -1;
  return count <= 0 || std::memchr(text, '\n', static_cast<std::size_t>(count)) != text + count - 1;
}

}  // namespace

void NetworkNamespaces::take_back() {
  std::vector<pollfd> events;
  events.reserve(loans_.size());
  for (const Loan& loan : loans_) {
    events.push_back({loan.pidfd.get(), POLLIN, 0});
  }
  if (poll(events.data(), events.size(), 0) < 0) {
    // None is taken back this time.
    return;
  }
  std::vector<Loan> left;
  for (std::size_t i = 0; i < loans_.size(); ++i) {
    // PID 1 ends after every other process of its namespace (kernel/pid_namespace.c,
    // zap_pid_ns_processes).
    if (events[i].revents == 0) {
      left.push_back(std::move(loans_[i]));
    } else if (unused_.size() < kMostUnused) {
      unused_.push_back(std::move(loans_[i].network_namespace));
    }
  }
  loans_ = std::move(left);
}

Status NetworkNamespaces::enter_unused() {
  take_back();
  while (!unused_.empty()) {
    entered_ = std::move(unused_.back());
    unused_.pop_back();
    if (setns(entered_.get(), CLONE_NEWNET) != 0) {
      return Status::failure(Step::kNursery, errno, "setns");
    }
    if (!has_sockets()) {
      return Status::success();
    }
  }
  if (unshare(CLONE_NEWNET) != 0) {
    return Status::failure(Step::kNursery, errno, "unshare");
  }
  entered_.reset(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  return entered_.valid() ? Status::success()
                          : Status::failure(Step::kNursery, errno, "/proc/self/ns/net");
}

void NetworkNamespaces::lend_to(Descriptor pidfd) {
  loans_.push_back({std::move(entered_), std::move(pidfd)});
}

Descriptor NetworkNamespaces::forget() {
  loans_.clear();
  unused_.clear();
  return std::move(entered_);
}

}  // namespace codejail
