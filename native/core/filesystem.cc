#include "core/filesystem.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>

#include "core/as_sandbox.h"
#include "core/copy.h"
#include "core/syscalls.h"
#include "core/tmpfs.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

constexpr char kHost[] = "/.host";
// Without the read bit a directory can be crossed but not listed: EACCES, also for its owner.
constexpr mode_t kUnlistable = 0111;

Status make_parents(const char* path) {
  char partial[4096];
  const std::size_t length = std::strlen(path);
  if (length >= sizeof(partial)) {
    return Status::failure(Step::kMounts, ENAMETOOLONG, path);
  }
  std::memcpy(partial, path, length + 1);
  for (std::size_t at = 1; at < length; ++at) {
    if (partial[at] != '/') {
      continue;
    }
    partial[at] = '\0';
    if (mkdir(partial, kUnlistable) != 0 && errno != EEXIST) {
      return Status::failure(Step::kMounts, errno, path);
    }
    partial[at] = '/';
  }
  return Status::success();
}

Status make_directory(const char* path, mode_t mode) {
  if (mkdir(path, mode) == 0) {
    return Status::success();
  }
  // It may have been made as a parent, with that mode.
  if (errno != EEXIST || chmod(path, mode) != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  return Status::success();
}

Status make_file(const Record& record) {
  Descriptor file(
      open(record.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, record.header->mode));
  return file.valid() && write_whole(file.get(), record.data, record.header->data_length)
             ? Status::success()
             : Status::failure(Step::kCopyFiles, errno, record.path);
}

// A file or a directory in `tmp`.
Status make_own(const Spec& spec, const Record& record) {
  const AsSandbox owner(spec.header());
  if (!owner.holds()) {
    return Status::failure(Step::kCopyFiles, EPERM, "setfsuid");
  }
  if (record.header->kind == RecordKind::kFile) {
    return make_file(record);
  }
  return mkdir(record.path, record.header->mode) == 0
             ? Status::success()
             : Status::failure(Step::kCopyFiles, errno, record.path);
}

bool is_own(const Record& record) {
  const RecordKind kind = record.header->kind;
  return (kind == RecordKind::kFile || kind == RecordKind::kDirectory) &&
         record.header->first == kProgramsOwn;
}

// A mount point of the same type as what will cover it.
Status make_mount_point(int source, const char* path) {
  struct stat status {};
  if (fstat(source, &status) != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  if (S_ISDIR(status.st_mode)) {
    return make_directory(path, kUnlistable);
  }
  Descriptor file(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444));
  return file.valid() ? Status::success() : Status::failure(Step::kMounts, errno, path);
}

Status bind(const Descriptor& origin, const char* path, std::uint64_t attributes) {
  if (Status status = make_mount_point(origin.get(), path); !status.ok()) {
    return status;
  }
  // Recursive: in a user namespace a tree whose submounts are locked can't be cloned without them
  // (mount_namespaces(7)).
  Descriptor tree(static_cast<int>(syscall(
      SYS_open_tree, origin.get(), "",
      AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | static_cast<unsigned>(OPEN_TREE_CLOEXEC))));
  if (!tree.valid()) {
    return Status::failure(Step::kMounts, errno, path);
  }
  // mount_setattr only adds flags here, so those that the source has locked stay (EPERM otherwise).
  mount_attr attribute{};
  attribute.attr_set = attributes;
  if (syscall(SYS_mount_setattr, tree.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &attribute,
              sizeof(attribute)) != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  if (syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  return Status::success();
}

Status mount_proc(const char* path) {
  if (Status status = make_covered_directory(path); !status.ok()) {
    return status;
  }
  if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid") != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  return Status::success();
}

Status copy(int host, const Record& record, CopyBudget& budget) {
  budget.limit_to(record.header->first);
  return copy_into_jail(host, record.data, record.path, budget);
}

Status apply(const Spec& spec, int host, HostSources& sources, CopyBudget& budget,
             const Record& record) {
  constexpr std::uint64_t kReadOnly = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  switch (record.header->kind) {
    case RecordKind::kDirectory:
    case RecordKind::kSymlink:
    case RecordKind::kFile:
    case RecordKind::kCopy:
    case RecordKind::kBind:
    case RecordKind::kTmpfs:
    case RecordKind::kProc:
    case RecordKind::kDevice:
      break;
    default:
      return Status::success();
  }
  if (is_own(record)) {
    return make_own(spec, record);
  }
  if (Status status = make_parents(record.path); !status.ok()) {
    return status;
  }
  switch (record.header->kind) {
    case RecordKind::kDirectory:
      return make_directory(record.path, record.header->mode);
    case RecordKind::kSymlink:
      if (symlink(record.data, record.path) != 0) {
        return Status::failure(Step::kMounts, errno, record.path);
      }
      return Status::success();
    case RecordKind::kFile:
      return make_file(record);
    case RecordKind::kCopy:
      return copy(host, record, budget);
    case RecordKind::kBind:
      return bind(sources.next(), record.path, kReadOnly | MOUNT_ATTR_NODEV);
    case RecordKind::kDevice:
      return bind(sources.next(), record.path, kReadOnly | MOUNT_ATTR_NOEXEC);
    case RecordKind::kTmpfs:
      return mount_tmpfs(spec, record);
    case RecordKind::kProc:
      return mount_proc(record.path);
    default:
      return Status::success();
  }
}

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
      return copy(root, record, budget);
    case RecordKind::kTmpfs:
      if (mkdir(record.path, record.header->mode) != 0 ||
          chown(record.path, spec.header().uid, spec.header().gid) != 0) {
        return Status::failure(Step::kMounts, errno, record.path);
      }
      return Status::success();
    default:
      return Status::success();
  }
}

Status open_tmp_directory(const Spec& spec, Descriptor& tmp_directory) {
  const Record tmp = spec.find(RecordKind::kTmpDirectory);
  if (tmp.header == nullptr) {
    return Status::failure(Step::kMounts, EINVAL, "the spec names no tmp directory");
  }
  tmp_directory.reset(open(tmp.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return tmp_directory.valid() ? Status::success()
                               : Status::failure(Step::kMounts, errno, tmp.path);
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

Status HostSources::open(const Spec& spec) {
  const auto shows_host = [](const Record& record) {
    return record.header->kind == RecordKind::kBind || record.header->kind == RecordKind::kDevice;
  };
  std::size_t count = 0;
  (void)spec.each([&](const Record& record) {
    count += shows_host(record) ? 1 : 0;
    return Status::success();
  });
  opened_ = std::make_unique<Descriptor[]>(count);
  const Descriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return Status::failure(Step::kMounts, errno, "/");
  }
  std::size_t at = 0;
  return spec.each([&](const Record& record) {
    if (!shows_host(record)) {
      return Status::success();
    }
    const char* source = record.header->kind == RecordKind::kBind ? record.data : record.path;
    opened_[at].reset(sys_openat2(root.get(), source, O_PATH | O_CLOEXEC, RESOLVE_IN_ROOT));
    return opened_[at++].valid() ? Status::success()
                                 : Status::failure(Step::kMounts, errno, source);
  });
}

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
