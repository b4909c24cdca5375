#include "roles.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "core/descriptor.h"
#include "core/spec.h"

namespace faults {
namespace {

constexpr std::uint64_t kNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;

constexpr const char* kNames[] = {
    "server",
    "other",
    "spawn-thread",
    "spawn-child",
    "outer-launcher",
    "launcher",
    "supervisor",
    "program",
    "template-launcher",
    "template-supervisor",
    "skipped-number",
    "nursery",
    "template-program",
    "template",
    "scout",
    "supervisor-keeper",
    "cell-supervisor",
    "cell-supervisor-watching",
    "cell-keeper",
    "between",
    "cell",
    "cell-limits",
};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == static_cast<std::size_t>(Role::kCount));

Role role_of_child(Process& parent) {
  ++parent.clones;
  switch (parent.role) {
    case Role::kSpawnThread:
      return Role::kSpawnChild;
    case Role::kOuterLauncher:
      return parent.is_template ? Role::kTemplateLauncher : Role::kLauncher;
    case Role::kLauncher:
    case Role::kSupervisor:
      return Role::kProgram;
    case Role::kTemplateLauncher:
      return Role::kNursery;
    case Role::kTemplateSupervisor:
      return parent.clones == 1 || (parent.clones == 2 && !parent.has_own_pids)
                 ? Role::kNumberSkipped
                 : Role::kTemplateProgram;
    case Role::kNursery:
      return (parent.clone_flags & kNamespaces) != 0 ? Role::kCellSupervisor
                                                     : Role::kSupervisorKeeper;
    case Role::kSupervisorKeeper:
      return Role::kCellSupervisor;
    case Role::kTemplate:
      if (parent.has_own_pids) {
        parent.has_own_pids = false;
        return Role::kScout;
      }
      return parent.has_received ? Role::kCellKeeper : Role::kOther;
    case Role::kCellKeeper:
      return Role::kBetween;
    case Role::kBetween:
      return Role::kCell;
    default:
      return Role::kOther;
  }
}

void leave_part(Process& process) {
  if (process.call == SYS_signalfd4) {
    if (process.role == Role::kLauncher) {
      process.role = Role::kSupervisor;
    } else if (process.role == Role::kTemplateLauncher) {
      process.clones = 0;
      process.has_own_pids = true;
      process.role = Role::kTemplateSupervisor;
    } else if (process.role == Role::kCellSupervisor) {
      process.role = Role::kCellSupervisorWatching;
    }
  }
  if (process.call == SYS_landlock_restrict_self && process.role == Role::kCell) {
    process.role = Role::kCellLimits;
  }
}

}  // namespace

const char* name_of(Role role) {
  return kNames[static_cast<std::size_t>(role)];
}

Role role_by_name(const char* name) {
  std::size_t at = 0;
  while (at < static_cast<std::size_t>(Role::kCount) && std::strcmp(kNames[at], name) != 0) {
    ++at;
  }
  return static_cast<Role>(at);
}

bool is_traced(Role role) {
  return role != Role::kServer && role != Role::kOther;
}

void begin_call(pid_t tid, Process& process, const __ptrace_syscall_info& info) {
  const auto& [number, arguments] = info.entry;
  process.call = number;
  switch (number) {
    case SYS_clone:
      process.clone_flags = arguments[0];
      break;
    case SYS_fork:
    case SYS_vfork:
      process.clone_flags = 0;
      break;
    case SYS_clone3: {
      iovec local{&process.clone_flags, sizeof(process.clone_flags)};
      iovec remote{reinterpret_cast<void*>(arguments[0]), sizeof(process.clone_flags)};
      (void)process_vm_readv(tid, &local, 1, &remote, 1, 0);
      break;
    }
    default:
      break;
  }
}

void end_call(Process& process) {
  process.has_received = process.has_received || process.call == SYS_recvmsg;
  if (process.call == SYS_unshare && process.role == Role::kTemplate) {
    process.has_own_pids = true;
  }
  leave_part(process);
}

bool begin_program(pid_t tid, Process& process) {
  if (process.role == Role::kTemplateProgram) {
    process.role = Role::kTemplate;
    return true;
  }
  const bool is_spawned = process.role == Role::kSpawnChild;
  process.role = Role::kOther;
  char path[64];
  char line[64] = {};
  std::snprintf(path, sizeof(path), "/proc/%d/cmdline", tid);
  const codejail::Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t count = file.valid() ? read(file.get(), line, sizeof(line) - 1) : -1;
  if (!is_spawned || count <= 0 || std::strcmp(line, "codejail-launcher") != 0) {
    return true;
  }
  std::snprintf(path, sizeof(path), "/proc/%d/fd/%s", tid, line + std::strlen(line) + 1);
  const codejail::Descriptor spec(open(path, O_RDONLY | O_CLOEXEC));
  codejail::SpecHeader header{};
  if (!spec.valid() ||
      pread(spec.get(), &header, sizeof(header), 0) != static_cast<ssize_t>(sizeof(header))) {
    return false;
  }
  process.is_template = (header.flags & codejail::kTemplate) != 0;
  process.role = (header.flags & codejail::kLauncherMakesNamespaces) != 0 ? Role::kOuterLauncher
                 : process.is_template                                    ? Role::kTemplateLauncher
                                                                          : Role::kLauncher;
  return true;
}

Process child_of(Process& parent) {
  Process child;
  child.is_template = parent.is_template;
  child.role = role_of_child(parent);
  return child;
}

}  // namespace faults
