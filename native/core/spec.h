// The spec: everything that the launcher will do, and nothing else, as plain data in a sealed
// memfd. A fixed header, then records. The server's policy fills it; the launcher has no policy of
// its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/descriptor_table.h"
#include "core/rlimits.h"
#include "core/status.h"

namespace codejail {

constexpr std::uint32_t kSpecMagic = 0x4c4a4443;  // "CDJL"
constexpr std::uint32_t kSpecVersion = 1;

enum class IdMap : std::uint32_t {
  kNone,     // no user namespace
  kCaller,   // one id: the caller's own, the only one that an unprivileged process may map
  kSandbox,  // root and the sandbox user, written by the privileged half of the launcher
  kOuter,    // one id: root inside is the outer id, written by the privileged half
};

enum SpecFlag : std::uint32_t {
  kOwnRoot = 1U << 0U,
  kReadOnlyRoot = 1U << 1U,
  kAllowExec = 1U << 2U,
  kDropGroups = 1U << 3U,
  kLandlock = 1U << 4U,
  kSendTmpDirectory = 1U << 5U,
  kLauncherMakesNamespaces = 1U << 6U,
  kIsolateHostname = 1U << 7U,
  kReaperByUid = 1U << 8U,  // no PID namespace: what is left is found by its uid
  kSeccomp = 1U << 9U,
  kNoUnixSockets = 1U << 10U,
  kSweepUid = 1U << 11U,      // nothing is started: what has the uid is ended
  kNoTruncation = 1U << 12U,  // by name: Landlock does not know of it yet
  kExplain = 1U << 13U,       // what the program tries in vain is told
  kTemplate = 1U << 16U,      // the program is a warm Python, which cells are forked from
  kUrgent = 1U << 17U,        // of a cell: wanted at once, without what only speeds up its call
};

struct SpecHeader {
  std::uint32_t magic = kSpecMagic;
  std::uint32_t version = kSpecVersion;
  std::uint64_t size;
  std::uint32_t flags;
  std::uint32_t namespaces;  // CLONE_NEW* flags
  IdMap id_map;
  std::uint32_t uid;  // as seen inside
  std::uint32_t gid;
  std::uint32_t outer_uid;
  std::uint32_t launcher_uid;  // the launcher's real uid, where it has no PID namespace
  std::uint32_t outer_gid;
  LauncherDescriptors descriptors;
  // The last capability that the running kernel knows (/proc/sys/kernel/cap_last_cap), or -1.
  std::int32_t last_capability = -1;
  // Limits; kUnlimited where there is none.
  std::uint64_t cpu_us;  // over the whole jail
  Rlimits rlimits;
  std::uint64_t memory_bytes;       // sampled, over the whole jail
  std::uint64_t memory_wall_bytes;  // of the cgroup, over what the set-up has taken
  // How many bytes of records were written ahead of all others, long files': they are to be
  // applied last.
  std::uint64_t stored_size = 0;
  std::uint32_t argument_count;
  std::uint32_t environment_count;
};

enum class RecordKind : std::uint32_t {
  kDirectory,         // path, mode, first: kProgramsOwn or 0
  kSymlink,           // path, data: target
  kFile,              // path, mode, data: content, first: kProgramsOwn or 0
  kCopy,              // path, data: path on the host, first: bytes of all copies, 0 for no limit
  kBind,              // path, data: path on the host
  kTmpfs,             // path, first: bytes, second: inodes, 0 for no limit; data: of shared memory
  kProc,              // path
  kDevice,            // path, the same on the host
  kStage,             // path on the host that the new root is first mounted on; as kTmpfs
  kWorkingDirectory,  // path
  kTmpDirectory,      // path
  kProgram,           // path
  kArgument,          // data
  kEnvironment,       // data
  kAppArmorProfile,   // data
  kLandlockRead,      // path
  kLandlockWrite,     // path
};

// Belongs to the program's user, who may write it.
constexpr std::uint64_t kProgramsOwn = 1;

constexpr RecordKind kLastRecordKind = RecordKind::kLandlockWrite;
// A jail of the largest call has a record for each of some ten thousand files and arguments.
constexpr std::size_t kMostRecords = std::size_t{1} << 20U;

struct RecordHeader {
  RecordKind kind;
  std::uint32_t mode;
  std::uint64_t first;
  std::uint64_t second;
  std::uint32_t path_length;  // without the NUL that follows each
  std::uint32_t padding;
  std::uint64_t data_length;
};

struct Record {
  const RecordHeader* header;
  const char* path;
  const char* data;
};

constexpr std::size_t aligned(std::size_t size) {
  return (size + 7U) & ~std::size_t{7U};
}

// A spec mapped read-only into this process.
class Spec {
 public:
  Spec() = default;
  Spec(const Spec&) = delete;
  Spec& operator=(const Spec&) = delete;
  ~Spec();
  // Maps it, and fails unless it is whole: see `check`.
  Status map(int descriptor);
  // Whether `size` bytes at `base`, a multiple of 8, are a spec of this version: a header, then
  // whole records up to the last byte, each string with its NUL, no more of them than that, as many
  // arguments and variables as the header says, and a record's beginning where others follow those
  // written ahead.
  static Status check(const char* base, std::size_t size);
  // Gives the mapping back: there are no records any more, and what header() returned before is
  // gone.
  void keep_header_only();

  [[nodiscard]] const SpecHeader& header() const { return *header_; }
  [[nodiscard]] bool has(SpecFlag flag) const { return (header_->flags & flag) != 0; }
  // Calls visit(record) for each record until one returns a failure; last for those written ahead.
  template <typename Visit>
  Status each(Visit visit) const {
    if (base_ == nullptr) {
      return Status::success();
    }
    const char* const stored = base_ + aligned(sizeof(SpecHeader));
    const char* const others = stored + header_->stored_size;
    const Status visited = each_between(others, base_ + header_->size, visit);
    return visited.ok() ? each_between(stored, others, visit) : visited;
  }
  // The first record of a kind, or one with a null header.
  [[nodiscard]] Record find(RecordKind kind) const;

  static std::size_t record_size(const RecordHeader& header) {
    return aligned(sizeof(RecordHeader) + header.path_length + 1 + header.data_length + 1);
  }

 private:
  template <typename Visit>
  static Status each_between(const char* at, const char* end, Visit& visit) {
    while (at < end) {
      const Record record = read(at);
      if (Status status = visit(record); !status.ok()) {
        return status;
      }
      at += record_size(*record.header);
    }
    return Status::success();
  }
  // Of a spec that has been checked.
  static Record read(const char* at) {
    const auto* header = reinterpret_cast<const RecordHeader*>(at);
    const char* path = at + sizeof(RecordHeader);
    return Record{header, path, path + header->path_length + 1};
  }

  const char* base_ = nullptr;
  std::size_t mapped_ = 0;
  const SpecHeader* header_ = nullptr;
  SpecHeader kept_{};
};

}  // namespace codejail
