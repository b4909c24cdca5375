#include "launcher/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/credentials.h"
#include "core/descriptor_numbers.h"
#include "core/landlock.h"
#include "core/processor_share.h"
#include "core/resource_limits.h"
#include "core/syscalls.h"
#include "launcher/interpreters.h"

namespace codejail {
namespace {

// 0, 1, 2, for a safeExec 3 and 4, and for a template 5.
Status set_standard_streams(const SpecHeader& header, int handover) {
  int sources[kProgramNumbers];
  std::copy_n(header.descriptors.begin(), kHandoverNumber, sources);
  sources[kHandoverNumber] = handover;
  return number_descriptors(sources, kProgramNumbers, kProgramNumbers);
}

// A process whose program its user may not read is undumpable (fs/exec.c, would_dump). Where /proc
// hides whom one may not trace, as the launcher is from its child, it would be in no sum.
Status require_visible(const Descriptor& binary, pid_t launcher) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "/proc/%d/status", launcher);
  return access(path, R_OK) == 0 || may_read_all(binary)
             ? Status::success()
             : Status::failure(Step::kOpenProgram, EACCES,
                               "its user may not read it, or what runs it, and /proc is mounted "
                               "with hidepid");
}

// So that the template's Python has another number than each of its cells' has in its own
// namespace: generators of random numbers tell by it that they are in a fork (OpenSSL,
// openssl_get_fork_id).
bool skip_number() {
  const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (child == 0) {
    _exit(0);
  }
  int status = 0;
  return child > 0 && waitpid(child, &status, __WALL) == child;
}

}  // namespace

void Program::Free::operator()(void* memory) const {
  std::free(memory);
}

Status Program::prepare(const Spec& spec) {
  const SpecHeader& header = spec.header();
  const Record binary = spec.find(RecordKind::kProgram);
  const Record directory = spec.find(RecordKind::kWorkingDirectory);
  if (binary.header == nullptr || directory.header == nullptr) {
    return Status::failure(Step::kOpenProgram, EINVAL, "the spec names no program");
  }
  working_directory_ = directory.path;
  Descriptor opened(open(binary.path, O_PATH | O_CLOEXEC));
  if (!opened.valid()) {
    return Status::failure(Step::kOpenProgram, errno, binary.path);
  }
  binary_ = std::move(opened);
  arguments_.reset(
      static_cast<const char**>(std::calloc(header.argument_count + 1, sizeof(char*))));
  environment_.reset(
      static_cast<const char**>(std::calloc(header.environment_count + 1, sizeof(char*))));
  if (!arguments_ || !environment_) {
    return Status::failure(Step::kOpenProgram, ENOMEM);
  }
  std::uint32_t arguments = 0;
  std::uint32_t variables = 0;
  return spec.each([&](const Record& record) {
    if (record.header->kind == RecordKind::kArgument && arguments < header.argument_count) {
      arguments_[arguments++] = record.data;
    }
    if (record.header->kind == RecordKind::kEnvironment && variables < header.environment_count) {
      environment_[variables++] = record.data;
    }
    return Status::success();
  });
}

pid_t Program::start(const Spec& spec, const ReportChannel& channel) {
  const pid_t launcher = getpid();
  if (spec.has(kTemplate) && !skip_number()) {
    return -1;
  }
  // Not vfork: the parent has to answer for this child's execve (seccomp_unotify(2)) meanwhile.
  const pid_t child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (child == 0) {
    become(spec, channel, launcher);
  }
  // close() would replace the clone's errno.
  const int error = errno;
  binary_.reset();
  handover_.reset();
  landlock_.reset();
  errno = error;
  return child;
}

// Without a PID namespace the launcher must be out of the program's reach: another real uid, and
// outside of its Landlock domain, since it needs /proc to find what the program has started.
void Program::leave_launcher(const Spec& spec, const ReportChannel& channel, pid_t launcher) const {
  // The program must not outlive a launcher that was killed from outside.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    channel.fail(Status::failure(Step::kUserId, errno, "PR_SET_PDEATHSIG"));
  }
  // Of a parent that has died before, no signal comes (prctl(2)).
  if (getppid() != launcher) {
    _exit(2);
  }
  channel.require(become_sandbox_user(spec));
  if (spec.header().descriptors[kCpuStatFd] < 0) {
    channel.require(require_visible(binary_, launcher));
  }
  channel.require(limit_tasks(spec.header()));
  if (landlock_.valid()) {
    channel.require(restrict_with_landlock(landlock_));
  }
}

void Program::become(const Spec& spec, const ReportChannel& channel, pid_t launcher) const {
  // What the program sends to its own group does not reach the launcher.
  channel.require(leave_process_group());
  // Not a template's: calls wait for the cells that it makes, which weigh as little as a program.
  if (!spec.has(kTemplate)) {
    channel.require(weigh_less());
  }
  if (chdir(working_directory_) != 0) {
    channel.fail(Status::failure(Step::kWorkingDirectory, errno, working_directory_));
  }
  channel.require(set_standard_streams(spec.header(), handover_.get()));
  if (spec.has(kReaperByUid)) {
    leave_launcher(spec, channel, launcher);
  }
  channel.require(limit_program(spec.header()));
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, nullptr);  // fails for a bad argument only
  // By descriptor: what was opened when the root was built is what runs.
  syscall(SYS_execveat, binary_.get(), "", arguments_.get(), environment_.get(), AT_EMPTY_PATH);
  channel.fail(Status::failure(Step::kExecProgram, errno, arguments_[0]));
}

}  // namespace codejail
