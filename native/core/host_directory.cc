#include "core/host_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/files.h"

namespace codejail {
namespace {

// Shared, so that a program that locks its own tmp is not refused. The lock lasts as long as a copy
// of the descriptor is open.
bool lock_directory(const char* path, Descriptor& directory) {
  directory.reset(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return directory.valid() && flock(directory.get(), LOCK_SH | LOCK_NB) == 0;
}

// An EEXIST is somebody else's directory: the name was made at random. All jails share this /tmp,
// and only the jail's own group may enter: no lock that names paths by a pattern, as an AppArmor
// profile does, would keep the others out. By that group a sweep knows what it may remove: so the
// lock comes first.
Status make_locked_directory(const Spec& spec, const Record& record, Descriptor& lock) {
  Descriptor below;
  Descriptor& held = lock.valid() ? below : lock;
  return mkdir(record.path, record.header->mode & 0770) == 0 && lock_directory(record.path, held) &&
                 fchown(held.get(), static_cast<uid_t>(-1), spec.header().gid) == 0
             ? Status::success()
             : Status::failure(Step::kMounts, errno, record.path);
}

Status apply_on_host(const Spec& spec, int root, const Record& record, CopyBudget& budget,
                     Descriptor& lock) {
  if (is_own(record)) {
    return make_own(spec, record);
  }
  switch (record.header->kind) {
    case RecordKind::kDirectory:
      return make_locked_directory(spec, record, lock);
    case RecordKind::kFile:
      return make_file(record);
    case RecordKind::kCopy:
      return copy_file(root, record, budget);
    case RecordKind::kTmpfs:
      if (mkdir(record.path, record.header->mode) != 0 ||
          chown(record.path, spec.header().uid, spec.header().gid) != 0) {
        return Status::failure(Step::kMounts, errno, record.path);
      }
      return Status::success();
    // Nothing is mounted here, and the rest is none of the tree's.
    case RecordKind::kSymlink:
    case RecordKind::kBind:
    case RecordKind::kProc:
    case RecordKind::kDevice:
    case RecordKind::kStage:
    case RecordKind::kWorkingDirectory:
    case RecordKind::kTmpDirectory:
    case RecordKind::kProgram:
    case RecordKind::kArgument:
    case RecordKind::kEnvironment:
    case RecordKind::kAppArmorProfile:
    case RecordKind::kLandlockRead:
    case RecordKind::kLandlockWrite:
      break;
  }
  return Status::success();
}

}  // namespace

Status make_host_directory(const Spec& spec, Descriptor& tmp_directory, Descriptor& lock) {
  const Descriptor root(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return Status::failure(Step::kMounts, errno, "/");
  }
  CopyBudget budget;
  Status made = spec.each(
      [&](const Record& record) { return apply_on_host(spec, root.get(), record, budget, lock); });
  if (made.ok()) {
    made = open_tmp_directory(spec, tmp_directory);
  }
  // The server has a copy of this one, when it collects what a launcher that is dead has left.
  if (made.ok() && flock(tmp_directory.get(), LOCK_SH | LOCK_NB) != 0) {
    return Status::failure(Step::kMounts, errno, "tmp");
  }
  return made;
}

}  // namespace codejail
