#include "core/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

// After <sys/mount.h>, which says it too since glibc 2.36.
#include <linux/mount.h>

#include <cstddef>

#include "core/files.h"
#include "core/syscalls.h"
#include "core/tmpfs.h"

namespace codejail {
namespace {

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

}  // namespace

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

Status bind_mount(const Descriptor& origin, const char* path, std::uint64_t attributes) {
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

}  // namespace codejail
