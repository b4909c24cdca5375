// The launcher: the first code of a jail that runs in memory of its own. It applies the spec to
// itself, starts the program, and stays as PID 1 of the jail. Everything up to the program's start
// is three lists (`enter_jail`, `become_template`, `confine_and_supervise`), in an order in which
// each step still has what it needs.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>

#include "core/apparmor.h"
#include "core/cgroup.h"
#include "core/credentials.h"
#include "core/host_directory.h"
#include "core/landlock.h"
#include "core/processor_share.h"
#include "core/report_channel.h"
#include "core/resource_limits.h"
#include "core/root.h"
#include "core/seccomp.h"
#include "core/syscalls.h"
#include "launcher/allocations.h"
#include "launcher/inherited.h"
#include "launcher/namespaces.h"
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

// When memory runs out on the host, a jail goes first, never the server. A raise needs no
// privilege.
void offer_to_oom_killer() {
  Descriptor file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file.valid()) {
    // Where it is refused, the host's own choice holds.
    (void)!write(file.get(), "1000", 4);
  }
}

Status make_key(LauncherKey& key) {
  return getrandom(&key, sizeof(key), 0) == sizeof(key)
             ? Status::success()
             : Status::failure(Step::kSeccomp, errno, "getrandom");
}

Status install_filter(const Spec& spec, const LauncherKey& key, CountedCalls& counted,
                      Descriptor& listener) {
  if (!spec.has(kSeccomp)) {
    return Status::success();
  }
  counted.prepare();
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

// What one step leaves for another is held here, to the jail's end. A step that this jail does not
// need is no failure.
class Launcher {
 public:
  Launcher(Spec& spec, const ReportChannel& channel)
      : spec_(spec),
        header_(spec.header()),
        channel_(channel),
        profile_(spec.find(RecordKind::kAppArmorProfile)) {}

  // `cgroup_procs`: of the jail's cgroup, where this process has to move itself; else -1.
  void enter_jail(int cgroup_procs);
  [[noreturn]] void become_template();
  [[noreturn]] void confine_and_supervise();

 private:
  void require(const Status& status) const { channel_.require(status); }

  Status enter_namespaces() const;
  Status set_host_name() const;
  Status open_profile();
  Status open_host();
  Status become_root_of_template() const;
  Status enter_root();
  void send_tmp_directory() const;
  Status limit_open_files() const;
  Status limit_own_tasks() const;
  Status end_predecessors(uid_t caller) const;
  Status change_profile();
  Status adopt_orphans() const;
  Status enter_landlock();

  Spec& spec_;
  const SpecHeader& header_;
  const ReportChannel& channel_;
  const Record profile_;
  Session session_;
  Descriptor apparmor_;
  HostSources sources_;
  Descriptor tmp_directory_;
  Descriptor directory_lock_;
  Program program_;
  char label_[sizeof(Report::label)] = {};
};

void Launcher::enter_jail(int cgroup_procs) {
  // Before anything else: what this process has taken stays charged to where it took it.
  require(cgroup_procs < 0 ? Status::success() : join_cgroup(cgroup_procs));
  claim_core_limit();
  // The server's event loop goes before all that follows.
  require(weigh_less());
  require(close_other_descriptors(header_));
  reset_signals();
  umask(0);
  require(session_.leave_server(spec_.has(kReaperByUid)));
  offer_to_oom_killer();
  require(enter_namespaces());
  require(hide_outer_cgroups(spec_));
  require(set_host_name());
  require(open_profile());
  require(open_host());
  require(become_root_of_template());
  require(enter_root());
  // Before the uid changes: the directory may be readable for the sandbox only.
  send_tmp_directory();
  require(program_.prepare(spec_));
  require(limit_jail(header_));
  require(limit_open_files());
}

void Launcher::become_template() {
  Descriptor handover;
  require(start_nursery(spec_, handover));
  program_.set_handover(std::move(handover));
  CountedCalls counted(header_, tmp_directory_, {});
  supervise(spec_, channel_, program_, tmp_directory_, counted, Descriptor(), session_, "", {});
}

void Launcher::confine_and_supervise() {
  require(wall_memory(header_));
  require(limit_own_tasks());
  const uid_t caller = getuid();
  require(drop_credentials(spec_));
  require(become_undumpable());
  require(end_predecessors(caller));
  require(change_profile());
  require(set_no_new_privileges());
  require(adopt_orphans());
  require(enter_landlock());
  LauncherKey key;
  require(make_key(key));
  CountedCalls counted(header_, tmp_directory_, key);
  Descriptor listener;
  require(install_filter(spec_, key, counted, listener));
  supervise(spec_, channel_, program_, tmp_directory_, counted, std::move(listener), session_,
            label_, key);
}

Status Launcher::enter_namespaces() const {
  return spec_.has(kLauncherMakesNamespaces) ? make_namespaces(spec_, channel_) : Status::success();
}

Status Launcher::set_host_name() const {
  constexpr char kName[] = "codejail";
  return !spec_.has(kIsolateHostname) || sethostname(kName, sizeof(kName) - 1) == 0
             ? Status::success()
             : Status::failure(Step::kHostname, errno);
}

Status Launcher::open_profile() {
  return profile_.header != nullptr ? open_apparmor(apparmor_) : Status::success();
}

Status Launcher::open_host() {
  return spec_.has(kOwnRoot) ? sources_.open(spec_) : Status::success();
}

Status Launcher::become_root_of_template() const {
  return spec_.has(kTemplate) ? become_namespace_root(spec_) : Status::success();
}

Status Launcher::enter_root() {
  return spec_.has(kOwnRoot) ? enter_own_root(spec_, sources_, tmp_directory_)
                             : make_host_directory(spec_, tmp_directory_, directory_lock_);
}

void Launcher::send_tmp_directory() const {
  if (!spec_.has(kSendTmpDirectory)) {
    return;
  }
  Report report{};
  report.kind = ReportKind::kTmpDirectory;
  if (!channel_.send(report, tmp_directory_.get())) {
    _exit(2);
  }
}

Status Launcher::limit_open_files() const {
  return spec_.has(kTemplate) ? limit_descriptors(header_) : limit_launcher_descriptors();
}

Status Launcher::limit_own_tasks() const {
  return spec_.has(kReaperByUid) ? Status::success() : limit_tasks(header_);
}

// A server and a launcher that were both killed give the lease back, and not all that they started
// is dead. This process holds the lease and has no child yet: whoever has the uid is left over, and
// could signal the program.
Status Launcher::end_predecessors(uid_t caller) const {
  return spec_.has(kReaperByUid) ? end_leftovers(caller) : Status::success();
}

Status Launcher::change_profile() {
  if (profile_.header == nullptr) {
    return Status::success();
  }
  const Status changed = change_apparmor_profile(apparmor_, profile_.data, label_, sizeof(label_));
  apparmor_.reset();
  return changed;
}

// Orphans of the jail become this process's children, as they would be PID 1's.
Status Launcher::adopt_orphans() const {
  return !spec_.has(kReaperByUid) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
             ? Status::success()
             : Status::failure(Step::kSupervise, errno, "PR_SET_CHILD_SUBREAPER");
}

Status Launcher::enter_landlock() {
  if (!spec_.has(kLandlock)) {
    return Status::success();
  }
  if (!spec_.has(kReaperByUid)) {
    return restrict_with_landlock(spec_);
  }
  // The child enters it, and this process does not; the filter lets nobody make one.
  Descriptor domain;
  const Status prepared = prepare_landlock(spec_, domain);
  program_.set_landlock(std::move(domain));
  return prepared;
}

[[noreturn]] void run(int spec_descriptor, int report_descriptor, int cgroup_procs) {
  // Not by the spec, which may be what can't be read.
  const ReportChannel channel(report_descriptor);
  Spec spec;
  channel.require(spec.map(spec_descriptor));
  if (spec.has(kSweepUid)) {
    sweep_uid(spec);
  }
  Launcher launcher(spec, channel);
  launcher.enter_jail(cgroup_procs);
  if (spec.has(kTemplate)) {
    launcher.become_template();
  }
  launcher.confine_and_supervise();
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
