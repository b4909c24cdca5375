#include "launcher/cell_supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <string>

#include "core/apparmor.h"
#include "core/credentials.h"
#include "core/descriptor_message.h"
#include "core/landlock.h"
#include "core/read_whole.h"
#include "core/report_channel.h"
#include "core/resource_limits.h"
#include "core/root.h"
#include "core/seccomp.h"
#include "core/syscalls.h"
#include "launcher/supervisor.h"

namespace codejail {
namespace {

void wait_for_release(const ReportChannel& channel, const Descriptor& released) {
  char byte = 0;
  const ssize_t count = read_whole(released.get(), &byte, 1);
  if (count < 0) {
    channel.fail(Status::failure(Step::kNursery, errno, "read"));
  }
  if (count == 0) {
    // The nursery has ended, or has told what failed.
    _exit(2);
  }
}

Status hand_over(const Descriptor (&received)[kServerFds], const Descriptor& network,
                 Descriptor& link, int handover) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Status::failure(Step::kNursery, errno, "socketpair");
  }
  link.reset(ends[0]);
  const Descriptor passed(ends[1]);
  const char* paths[kLinkFd] = {};
  paths[kUserNamespaceFd] = "/proc/self/ns/user";
  paths[kPidNamespaceFd] = "/proc/self/ns/pid";
  paths[kMountNamespaceFd] = "/proc/self/ns/mnt";
  Descriptor opened[kLinkFd];
  int numbers[kCellFds];
  for (std::size_t i = 0; i < kLinkFd; ++i) {
    if (i < kServerFds) {
      numbers[i] = received[i].get();
    } else {
      opened[i].reset(open(paths[i], O_RDONLY | O_CLOEXEC));
      if (!opened[i].valid()) {
        return Status::failure(Step::kNursery, errno, paths[i]);
      }
      numbers[i] = opened[i].get();
    }
  }
  numbers[kLinkFd] = passed.get();
  numbers[kNetworkNamespaceFd] = network.get();
  return send_descriptors(handover, numbers, network.valid() ? kCellFds : kNetworkNamespaceFd)
             ? Status::success()
             : Status::failure(Step::kNursery, errno, "the template has ended");
}

// The same as the main process's: it lets nobody else look at its memory, or send it more than the
// one signal.
Status enter_profile(const Spec& spec) {
  const Record profile = spec.find(RecordKind::kAppArmorProfile);
  if (profile.header == nullptr) {
    return Status::success();
  }
  // Else the attribute is root's (proc(5)).
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    return Status::failure(Step::kUserId, errno, "PR_SET_DUMPABLE");
  }
  Descriptor attribute;
  if (Status status = open_apparmor(attribute); !status.ok()) {
    return status;
  }
  static char label[sizeof(Report::label)];
  return change_apparmor_profile(attribute, profile.data, label, sizeof(label));
}

// With a listener, for speed only: where there can be none it is left out.
Status install_own_filter(const Spec& spec, Descriptor& listener) {
  FilterPolicy policy{ExecPolicy::kDeny, CountPolicy::kAllow, getpid()};
  policy.is_kept = !spec.has(kUrgent);
  if (policy.is_kept && install_seccomp_filter(policy, spec, listener).ok()) {
    return Status::success();
  }
  policy.is_kept = false;
  return install_seccomp_filter(policy, spec, listener);
}

}  // namespace

void become_cell_supervisor(Spec& spec, Descriptor (&received)[kServerFds], Descriptor released,
                            Descriptor network, int handover) {
  const ReportChannel channel(received[kReportFd].get());
  // Else its main process would be reaped without it.
  if (::signal(SIGCHLD, SIG_DFL) == SIG_ERR) {
    channel.require(Status::failure(Step::kSupervise, errno, "SIGCHLD"));
  }
  wait_for_release(channel, released);
  released.reset();
  Descriptor tmp_directory;
  channel.require(enter_cell_root(spec, tmp_directory));
  Descriptor link;
  channel.require(hand_over(received, network, link, handover));
  network.reset();
  // The rest goes on while the template forks.
  ::close(handover);
  for (std::size_t i = 0; i < kServerFds; ++i) {
    if (i != kReportFd && i != kTimerFd && i != kEndFd) {
      received[i].reset();
    }
  }
  SpecHeader limits = spec.header();
  // Its cell's main process has few; to send one of its own, this process may have to have more
  // than are on the way already, which count for all of a template's cells together (unix(7)).
  limits.rlimits[RLIMIT_NOFILE] = kUnlimited;
  channel.require(limit_jail(limits));
  channel.require(limit_descriptors(limits));
  channel.require(drop_credentials(spec));
  channel.require(enter_profile(spec));
  channel.require(become_undumpable());
  channel.require(set_no_new_privileges());
  const Record named = spec.find(RecordKind::kAppArmorProfile);
  const std::string profile = named.header == nullptr ? "" : named.data;
  // A call's caller waits for its end, which takes less time with less memory.
  spec.keep_header_only();
  // No Landlock here: the main process has a domain of its own, and a process can't signal across
  // (landlock(7), LANDLOCK_SCOPE_SIGNAL).
  CountedCalls counted(spec.header(), tmp_directory, {});
  Descriptor domain;
  channel.require(prepare_apart_domain(domain));
  Descriptor listener;
  channel.require(install_own_filter(spec, listener));
  supervise_cell(spec, channel, tmp_directory, counted, std::move(link), std::move(listener),
                 domain, received[kTimerFd], received[kEndFd],
                 profile.empty() ? nullptr : profile.c_str());
}

}  // namespace codejail
