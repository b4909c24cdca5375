// Which part of a jail a traced process is: told by how it came to be, and by what it has done
// since.
#pragma once

#include <sys/ptrace.h>
#include <sys/types.h>

#include <cstdint>

namespace faults {

enum class Role {
  kServer,
  kOther,  // whatever else the server runs, and programs in their jails
  kSpawnThread,
  kSpawnChild,
  kOuterLauncher,
  kLauncher,
  kSupervisor,
  kProgram,
  kTemplateLauncher,
  kTemplateSupervisor,
  kNumberSkipped,
  kNursery,
  kTemplateProgram,
  kTemplate,
  kScout,
  kSupervisorKeeper,
  kCellSupervisor,
  kCellSupervisorWatching,
  kCellKeeper,
  kBetween,
  kCell,
  kCellLimits,
  kCount,
};

const char* name_of(Role role);
// kCount where there is none.
Role role_by_name(const char* name);
// The server's own threads run untouched, and so does what is none of a jail's making.
bool is_traced(Role role);

struct Process {
  Role role = Role::kOther;
  std::uint64_t clone_flags = 0;
  unsigned clones = 0;
  bool is_template = false;
  bool has_own_pids = false;
  bool has_received = false;
  std::uint64_t call = 0;  // the one that it is in
};

// It begins a system call.
void begin_call(pid_t tid, Process& process, const __ptrace_syscall_info& info);
// That one has succeeded: where it ends a part, it is counted with that part.
void end_call(Process& process);
// It runs another program. What has exec'd the launcher is told apart by its spec; false where that
// can't be read.
bool begin_program(pid_t tid, Process& process);
Process child_of(Process& parent);

}  // namespace faults
