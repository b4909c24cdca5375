// The steps that lead from the server's clone to the program, in the order in which they happen.
#pragma once

#include <cstdint>

namespace codejail {

enum class Step : std::uint32_t {
  kLease,
  kMakeCgroup,
  kPipes,
  kSpawnThread,
  kSpec,
  kClone,
  kExecLauncher,
  kEnterCgroup,
  kReadSpec,
  kCloseDescriptors,
  kPriority,
  kSession,
  kNamespaces,
  kIdMap,
  kHostname,
  kOpenAppArmor,
  kMounts,
  kCopyFiles,
  kPivotRoot,
  kOpenProgram,
  kResourceLimits,
  kCapabilities,
  kGroups,
  kUserId,
  kAppArmor,
  kAppArmorLabel,
  kNoNewPrivileges,
  kLandlock,
  kSeccomp,
  kSupervise,
  kFork,
  kStandardStreams,
  kWorkingDirectory,
  kExecProgram,
  kNursery,
  kForkCell,
  kJoinNamespaces,
  kReadCall,
  kCellFiles,
};

constexpr Step kLastStep = Step::kCellFiles;

// The step's name in errors, and the system call that usually fails in it. Whoever sends a report
// chooses its number: of one that there is not, both say so.
const char* step_name(Step step);
const char* step_syscall(Step step);

}  // namespace codejail
