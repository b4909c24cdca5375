// The launcher: the first code of a jail that runs in memory of its own. It applies the spec to
// itself, starts the program, and stays as PID 1 of the jail. Everything up to the program's start
// is one list, in an order in which each step still has what it needs.
#include <fcntl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/apparmor.h"
#include "core/cgroup.h"
#include "core/credentials.h"
#include "core/host_directory.h"
#include "core/id_map.h"
#include "core/landlock.h"
#include "core/processor_share.h"
#include "core/report_channel.h"
#include "core/resource_limits.h"
#include "core/root.h"
#include "core/seccomp.h"
#include "core/syscalls.h"
#include "launcher/allocations.h"
#include "launcher/nursery.h"
#include "launcher/program.h"
#include "launcher/session.h"
#include "launcher/supervisor.h"
#include "launcher/sweep.h"

// Where this program's own code begins and ends (end(3), ld(1)).
// NOLINTNEXTLINE(bugprone-reserved-identifier)
extern "C" const char __executable_start, etext;

namespace codejail {
namespace {

void require(const ReportChannel& channel, const Status& status) {
  if (!status.ok()) {
    channel.fail(status);
  }
}

void reset_signals() {
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    // Ignored signals stay ignored over exec; the program is to start with the defaults. EINVAL for
    // SIGKILL, SIGSTOP and libc's own is expected.
    (void)::signal(signal_number, SIG_DFL);
  }
  // The launcher reads what it needs from a signalfd; as PID 1 it is deaf to the rest anyway.
  sigset_t all;
  sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, nullptr);  // fails for a bad argument only
}

constexpr int kFirstFreeDescriptor = 6;

// The server's descriptors that were opened without close-on-exec must not enter the jail.
Status close_other_descriptors(const SpecHeader& header) {
  int kept[] = {header.report_fd,     header.stdin_fd,    header.stdout_fd,
                header.stderr_fd,     header.request_fd,  header.result_fd,
                header.lease_fd,      header.cpu_stat_fd, header.memory_current_fd,
                header.memory_max_fd, header.nursery_fd};
  constexpr int kCount = sizeof(kept) / sizeof(kept[0]);
  for (int i = 0; i < kCount; ++i) {
    for (int j = i + 1; j < kCount; ++j) {
      if (kept[j] < kept[i]) {
        const int smaller = kept[j];
        kept[j] = kept[i];
        kept[i] = smaller;
      }
    }
  }
  unsigned next = 0;
  for (const int descriptor : kept) {
    if (descriptor < 0) {
      continue;
    }
    const auto number = static_cast<unsigned>(descriptor);
    if (number > next && sys_close_range(next, number - 1, 0) != 0) {
      return Status::failure(Step::kCloseDescriptors, errno);
    }
    // Back to close-on-exec: the program gets copies of those that are for it.
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
      return Status::failure(Step::kCloseDescriptors, errno);
    }
    next = number + 1;
  }
  if (sys_close_range(next, ~0U, 0) != 0) {
    return Status::failure(Step::kCloseDescriptors, errno);
  }
  // The program's own six numbers are never given to a file of the launcher's: it would be
  // replaced when the standard streams are set.
  for (int filler = 0; filler < kFirstFreeDescriptor;) {
    filler = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (filler < 0) {
      return Status::failure(Step::kCloseDescriptors, errno, "/dev/null");
    }
    if (filler >= kFirstFreeDescriptor) {
      ::close(filler);
    }
  }
  return Status::success();
}

// A process that has exec'd has no capability in a user namespace whose maps were not there before
// the exec (capabilities(7)); so the launcher makes that namespace itself. The child is made a
// child of the server (CLONE_PARENT), which is told of it by its pidfd; this process then ends.
Status make_namespaces(const Spec& spec, const ReportChannel& channel) {
  const SpecHeader& header = spec.header();
  int mapped[2] = {-1, -1};
  if (pipe2(mapped, O_CLOEXEC) != 0) {
    return Status::failure(Step::kNamespaces, errno, "pipe2");
  }
  int pidfd = -1;
  CloneArguments arguments{};
  arguments.flags = header.namespaces | CLONE_PARENT | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  const auto child = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (child < 0) {
    return Status::failure(Step::kNamespaces, errno);
  }
  if (child > 0) {
    Report report{};
    report.kind = ReportKind::kNamespaces;
    report.main_process = child;
    if (!channel.send(report, pidfd)) {
      _exit(2);
    }
    if (header.id_map == IdMap::kSandbox) {
      require(channel, map_sandbox_id(header, child));
    }
    if (header.id_map == IdMap::kOuter) {
      require(channel, map_one_id(header, child));
    }
    // Without this byte the child ends: the server would not know of it.
    if (write(mapped[1], "", 1) != 1) {
      channel.fail(Status::failure(Step::kNamespaces, errno, "write"));
    }
    _exit(0);
  }
  ::close(mapped[1]);
  char byte = 0;
  ssize_t count = 0;
  do {
    count = read(mapped[0], &byte, 1);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return Status::failure(Step::kNamespaces, errno, "read");
  }
  if (count == 0) {
    // The other half has failed, and has told so.
    _exit(2);
  }
  ::close(mapped[0]);
  return header.id_map == IdMap::kCaller ? map_own_id(header) : Status::success();
}

// When memory runs out on the host, a jail goes first, never the server. A raise needs no
// privilege.
void offer_to_oom_killer() {
  Descriptor file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.valid()) {
    // Where it is refused, the host's own choice holds.
    (void)!write(file.get(), "1000", 4);
  }
}

Status install_filter(const Spec& spec, const LauncherKey& key, Descriptor& listener) {
  const bool may_exec = spec.has(kAllowExec);
  FilterPolicy policy{may_exec ? ExecPolicy::kAllow : ExecPolicy::kAsk, CountPolicy::kAsk, getpid(),
                      key};
  policy.refused_above = refused_above(spec.header());
  if (spec.has(kExplain)) {
    policy.own_code = reinterpret_cast<std::uint64_t>(&__executable_start);
    policy.own_code_end = reinterpret_cast<std::uint64_t>(&etext);
  }
  const Status installed = install_seccomp_filter(policy, spec, listener);
  if (may_exec && installed.error() == EBUSY) {
    return install_seccomp_filter({policy.exec, CountPolicy::kRefuse, policy.launcher}, spec,
                                  listener);
  }
  return installed;
}

[[noreturn]] void run(int spec_descriptor, int report_descriptor, int cgroup_procs) {
  // Not by the spec, which may be what can't be read.
  const ReportChannel channel(report_descriptor);
  Spec spec;
  require(channel, spec.map(spec_descriptor));
  if (spec.has(kSweepUid)) {
    sweep_uid(spec);
  }
  const SpecHeader& header = spec.header();

  // Before anything else: what this process has taken stays charged to where it took it.
  if (cgroup_procs >= 0) {
    require(channel, join_cgroup(cgroup_procs));
  }
  claim_core_limit();
  // The server's event loop goes before all that follows.
  require(channel, weigh_less());
  require(channel, close_other_descriptors(header));
  reset_signals();
  umask(0);
  Session session;
  require(channel, session.leave_server(spec.has(kReaperByUid)));
  offer_to_oom_killer();
  if (spec.has(kLauncherMakesNamespaces)) {
    require(channel, make_namespaces(spec, channel));
  }
  require(channel, hide_outer_cgroups(spec));
  if (spec.has(kIsolateHostname) && sethostname("codejail", 8) != 0) {
    require(channel, Status::failure(Step::kHostname, errno));
  }

  const Record profile = spec.find(RecordKind::kAppArmorProfile);
  Descriptor apparmor;
  if (profile.header != nullptr) {
    require(channel, open_apparmor(apparmor));
  }

  Descriptor tmp_directory;
  Descriptor directory_lock;
  HostSources sources;
  if (spec.has(kOwnRoot)) {
    require(channel, sources.open(spec));
  }
  if (spec.has(kTemplate)) {
    require(channel, become_namespace_root(spec));
  }
  if (spec.has(kOwnRoot)) {
    require(channel, enter_own_root(spec, sources, tmp_directory));
  } else {
    require(channel, make_host_directory(spec, tmp_directory, directory_lock));
  }
  // Before the uid changes: the directory may be readable for the sandbox only.
  if (spec.has(kSendTmpDirectory)) {
    Report report{};
    report.kind = ReportKind::kTmpDirectory;
    if (!channel.send(report, tmp_directory.get())) {
      _exit(2);
    }
  }
  Program program;
  require(channel, program.prepare(spec));

  require(channel, limit_jail(header));
  require(channel, spec.has(kTemplate) ? limit_descriptors(header) : limit_launcher_descriptors());
  if (spec.has(kTemplate)) {
    Descriptor handover;
    require(channel, start_nursery(spec, handover));
    program.set_handover(std::move(handover));
    CountedCalls counted(header, tmp_directory, {});
    supervise(spec, channel, program, tmp_directory, counted, Descriptor(), session, "", {});
  }
  require(channel, wall_memory(header));
  if (!spec.has(kReaperByUid)) {
    require(channel, limit_tasks(header));
  }
  const uid_t caller = getuid();
  require(channel, drop_credentials(spec));
  // Root alone may now look at this process: no program of the same uid can read or write the
  // launcher's memory through /proc/1/mem (ptrace(2), "Ptrace access mode checking").
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    require(channel, Status::failure(Step::kUserId, errno, "PR_SET_DUMPABLE"));
  }
  if (spec.has(kReaperByUid)) {
    // A server and a launcher that were both killed give the lease back, and not all that they
    // started is dead. This process holds the lease and has no child yet: whoever has the uid is
    // left over, and could signal the program.
    require(channel, end_leftovers(caller));
  }
  char label[sizeof(Report::label)] = {};
  if (profile.header != nullptr) {
    require(channel, change_apparmor_profile(apparmor, profile.data, label, sizeof(label)));
    apparmor.reset();
  }
  require(channel, set_no_new_privileges());
  if (spec.has(kReaperByUid)) {
    // Orphans of the jail become this process's children, as they would be PID 1's.
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
      require(channel, Status::failure(Step::kSupervise, errno, "PR_SET_CHILD_SUBREAPER"));
    }
    if (spec.has(kLandlock)) {
      // The filter lets nobody make one.
      Descriptor domain;
      require(channel, prepare_landlock(spec, domain));
      program.set_landlock(std::move(domain));
    }
  } else if (spec.has(kLandlock)) {
    require(channel, restrict_with_landlock(spec));
  }
  LauncherKey key;
  if (getrandom(&key, sizeof(key), 0) != sizeof(key)) {
    require(channel, Status::failure(Step::kSeccomp, errno, "getrandom"));
  }
  CountedCalls counted(header, tmp_directory, key);
  Descriptor listener;
  if (spec.has(kSeccomp)) {
    counted.prepare();
    require(channel, install_filter(spec, key, listener));
  }
  supervise(spec, channel, program, tmp_directory, counted, std::move(listener), session, label,
            key);
}

}  // namespace
}  // namespace codejail

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    // Without a standard error, the status tells.
    (void)std::fputs("codejail-launcher is started by the codejail library, not by hand\n", stderr);
    return 64;
  }
  const auto number = [](const char* text) {
    return static_cast<int>(std::strtol(text, nullptr, 10));
  };
  codejail::run(number(argv[1]), number(argv[2]), argc == 4 ? number(argv[3]) : -1);
}
