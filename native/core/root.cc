#include "core/root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

// After <sys/mount.h>, which says it too since glibc 2.36.
#include <linux/mount.h>

#include <cstdio>

#include "core/files.h"
#include "core/syscalls.h"
#include "core/tmpfs.h"

namespace codejail {
namespace {

constexpr char kHost[] = "/.host";

// Whether a record is of what is in the tree.
bool is_entry(RecordKind kind) {
  switch (kind) {
    case RecordKind::kDirectory:
    case RecordKind::kSymlink:
    case RecordKind::kFile:
    case RecordKind::kCopy:
    case RecordKind::kBind:
    case RecordKind::kTmpfs:
    case RecordKind::kProc:
    case RecordKind::kDevice:
      return true;
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
  return false;
}

Status make_entry(const Spec& spec, int host, HostSources& sources, CopyBudget& budget,
                  const Record& record) {
  constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  switch (record.header->kind) {
    case RecordKind::kDirectory:
      return make_directory(record.path, record.header->mode);
    case RecordKind::kSymlink:
      return symlink(record.data, record.path) == 0
                 ? Status::success()
                 : Status::failure(Step::kMounts, errno, record.path);
    case RecordKind::kFile:
      return make_file(record);
    case RecordKind::kCopy:
      return copy_file(host, record, budget);
    case RecordKind::kBind:
      return bind_mount(sources.next(), record.path, kReadOnly | MOUNT_ATTR_NODEV);
    case RecordKind::kDevice:
      return bind_mount(sources.next(), record.path, kReadOnly | MOUNT_ATTR_NOEXEC);
    case RecordKind::kTmpfs:
      return mount_tmpfs(spec, record);
    case RecordKind::kProc:
      return mount_proc(record.path);
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

Status apply(const Spec& spec, int host, HostSources& sources, CopyBudget& budget,
             const Record& record) {
  if (!is_entry(record.header->kind)) {
    return Status::success();
  }
  if (is_own(record)) {
    return make_own(spec, record);
  }
  if (Status status = make_parents(record.path); !status.ok()) {
    return status;
  }
  return make_entry(spec, host, sources, budget, record);
}

}  // namespace

Status enter_cell_root(const Spec& spec, Descriptor& tmp_directory) {
  HostSources none;
  CopyBudget budget;
  Status built =
      spec.each([&](const Record& record) { return apply(spec, -1, none, budget, record); });
  return built.ok() ? open_tmp_directory(spec, tmp_directory) : built;
}

Status enter_own_root(const Spec& spec, HostSources& sources, Descriptor& tmp_directory) {
  const Record stage = spec.find(RecordKind::kStage);
  if (stage.header == nullptr) {
    return Status::failure(Step::kMounts, EINVAL, "the spec names no stage");
  }
  // Nothing that is mounted here may show on the host (mount_namespaces(7), propagation).
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Status::failure(Step::kMounts, errno, "/");
  }
  char size[80];
  // Its root is an inode too.
  write_size(*stage.header, 1, size, sizeof(size));
  char options[100];
  (void)std::snprintf(options, sizeof(options), "mode=0111,%s", size);
  if (mount("codejail", stage.path, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0 ||
      chdir(stage.path) != 0) {
    return Status::failure(Step::kMounts, errno, stage.path);
  }
  // Entered first and filled afterwards: the host's tree is then whole below kHost, also what the
  // stage covered.
  if (mkdir(".host", 0700) != 0 || sys_pivot_root(".", ".host") != 0 || chdir("/") != 0) {
    return Status::failure(Step::kPivotRoot, errno, stage.path);
  }
  {
    Descriptor host(open(kHost, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!host.valid()) {
      return Status::failure(Step::kPivotRoot, errno, kHost);
    }
    CopyBudget budget;
    Status built = spec.each(
        [&](const Record& record) { return apply(spec, host.get(), sources, budget, record); });
    if (!built.ok()) {
      return built;
    }
  }
  if (Status status = open_tmp_directory(spec, tmp_directory); !status.ok()) {
    return status;
  }
  if (umount2(kHost, MNT_DETACH) != 0 || rmdir(kHost) != 0) {
    return Status::failure(Step::kPivotRoot, errno, kHost);
  }
  // Where the files belong to the jail's own uid, only the mount keeps it from changing them. Where
  // they belong to another, the mode does, and the denial is EACCES instead of EROFS.
  if (spec.has(kReadOnlyRoot)) {
    mount_attr attribute{};
    attribute.attr_set = MOUNT_ATTR_RDONLY;
    if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attribute, sizeof(attribute)) != 0) {
      return Status::failure(Step::kMounts, errno, "/");
    }
  }
  return Status::success();
}

}  // namespace codejail
