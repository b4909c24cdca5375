#include "core/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>

#include <cstddef>

#include "core/descriptor.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

// Of newer kernels than the headers that this may be built with.
constexpr std::uint64_t kRefer = 1ULL << 13U;
constexpr std::uint64_t kTruncate = 1ULL << 14U;
constexpr std::uint64_t kIoctlDevice = 1ULL << 15U;
constexpr std::uint64_t kBindTcp = 1ULL << 0U;
constexpr std::uint64_t kConnectTcp = 1ULL << 1U;
constexpr std::uint64_t kScopeAbstractSocket = 1ULL << 0U;
constexpr std::uint64_t kScopeSignal = 1ULL << 1U;
// Since version 7: no line in the host's audit log for each thing that is denied to this process,
// or in a domain that it makes within. After an exec there is none anyway.
constexpr unsigned kLogSameExecOff = 1U << 0U;
constexpr unsigned kLogSubdomainsOff = 1U << 2U;

struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

constexpr std::uint64_t kRead =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                 LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t kMakeDevice = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
constexpr std::uint64_t kFileOnly = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kIoctlDevice;

Status add_rule(int ruleset, const char* path, std::uint64_t access) {
  Descriptor target(open(path, O_PATH | O_CLOEXEC));
  if (!target.valid()) {
    return Status::failure(Step::kLandlock, errno, path);
  }
  struct stat status {};
  if (fstat(target.get(), &status) != 0) {
    return Status::failure(Step::kLandlock, errno, path);
  }
  landlock_path_beneath_attr rule{};
  // The kernel refuses a directory's rights on a file (EINVAL).
  rule.allowed_access = S_ISDIR(status.st_mode) ? access : access & kFileOnly;
  rule.parent_fd = target.get();
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return Status::failure(Step::kLandlock, errno, path);
  }
  return Status::success();
}

}  // namespace

Status landlock_abi(int& version) {
  const long answer =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  // Built without it, or switched off at boot (landlock_create_ruleset(2)).
  if (answer < 0 && errno != ENOSYS && errno != EOPNOTSUPP) {
    return Status::failure(Step::kLandlock, errno, "the version could not be asked for");
  }
  version = answer < 0 ? 0 : static_cast<int>(answer);
  return Status::success();
}

Status prepare_landlock(const Spec& spec, Descriptor& ruleset) {
  int abi = 0;
  if (Status asked = landlock_abi(abi); !asked.ok()) {
    return asked;
  }
  if (abi == 0) {
    return Status::failure(Step::kLandlock, ENOSYS, "its version");
  }
  RulesetAttributes attributes{};
  std::uint64_t write = kWrite;
  attributes.handled_access_fs = kRead | kWrite | kMakeDevice;
  if (abi >= 2) {
    attributes.handled_access_fs |= kRefer;
    write |= kRefer;
  }
  if (abi >= 3) {
    attributes.handled_access_fs |= kTruncate;
    write |= kTruncate;
  }
  if (abi >= 4) {
    attributes.handled_access_net = kBindTcp | kConnectTcp;
  }
  if (abi >= 5) {
    attributes.handled_access_fs |= kIoctlDevice;
  }
  if (abi >= 6) {
    attributes.scoped = kScopeAbstractSocket | kScopeSignal;
  }
  // An older kernel takes only the size that it knows.
  const std::size_t size = abi >= 6   ? sizeof(attributes)
                           : abi >= 4 ? 2 * sizeof(std::uint64_t)
                                      : sizeof(std::uint64_t);
  ruleset.reset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.valid()) {
    return Status::failure(Step::kLandlock, errno);
  }
  return spec.each([&](const Record& record) {
    if (record.header->kind == RecordKind::kLandlockRead) {
      return add_rule(ruleset.get(), record.path, kRead);
    }
    if (record.header->kind == RecordKind::kLandlockWrite) {
      constexpr std::uint64_t kReadData = kRead & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
      return add_rule(ruleset.get(), record.path, kReadData | write);
    }
    return Status::success();
  });
}

Status restrict_with_landlock(const Descriptor& ruleset) {
  const auto restrict_self = [&](unsigned flags) {
    return syscall(SYS_landlock_restrict_self, ruleset.get(), flags) == 0;
  };
  // EINVAL: this kernel does not know of them.
  return restrict_self(kLogSameExecOff | kLogSubdomainsOff) || (errno == EINVAL && restrict_self(0))
             ? Status::success()
             : Status::failure(Step::kLandlock, errno);
}

Status prepare_apart_domain(Descriptor& ruleset) {
  int abi = 0;
  if (Status asked = landlock_abi(abi); !asked.ok() || abi == 0) {
    return asked;
  }
  RulesetAttributes attributes{};
  // What nobody in a jail may do anyway: a domain has to be about something.
  attributes.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK;
  attributes.scoped = abi >= 6 ? kScopeAbstractSocket | kScopeSignal : 0;
  const std::size_t size = abi >= 6 ? sizeof(attributes) : sizeof(std::uint64_t);
  ruleset.reset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  return ruleset.valid() ? Status::success() : Status::failure(Step::kLandlock, errno);
}

Status restrict_with_landlock(const Spec& spec) {
  Descriptor ruleset;
  Status prepared = prepare_landlock(spec, ruleset);
  return prepared.ok() ? restrict_with_landlock(ruleset) : prepared;
}

}  // namespace codejail
