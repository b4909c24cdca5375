#include "core/tmpfs.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdio>

#include "core/as_sandbox.h"
#include "core/descriptor.h"
#include "core/files.h"

namespace codejail {
namespace {

// Searched and written to, not listed: as the rest of /dev, it tells what one knows the name of.
constexpr mode_t kSharedMemory = 0333;
constexpr mode_t kOwnDirectory = 0700;

Status mount_sized(const Spec& spec, const Record& record, const char* path,
                   unsigned long long inodes) {
  if (Status status = make_covered_directory(path); !status.ok()) {
    return status;
  }
  char size[80];
  write_size(*record.header, inodes, size, sizeof(size));
  char options[160];
  (void)std::snprintf(options, sizeof(options), "mode=0%o,uid=%u,gid=%u,%s", record.header->mode,
                      spec.header().uid, spec.header().gid, size);
  const unsigned long no_exec = spec.has(kAllowExec) ? 0 : MS_NOEXEC;
  if (mount("tmp", path, "tmpfs", MS_NOSUID | MS_NODEV | no_exec, options) != 0) {
    return Status::failure(Step::kMounts, errno, path);
  }
  return Status::success();
}

Status bind_directory(const char* whole, const char* name, const char* path) {
  char source[128];
  (void)std::snprintf(source, sizeof(source), "%s/%s", whole, name);
  return mount(source, path, nullptr, MS_BIND, nullptr) == 0
             ? Status::success()
             : Status::failure(Step::kMounts, errno, path);
}

}  // namespace

void write_size(const RecordHeader& header, unsigned long long more, char* options,
                std::size_t length) {
  const unsigned long long inodes =
      header.second == 0 ? 0 : static_cast<unsigned long long>(header.second) + more;
  (void)std::snprintf(options, length, "size=%llu,nr_inodes=%llu",
                      static_cast<unsigned long long>(header.first), inodes);
}

Status make_covered_directory(const char* path) {
  return mkdir(path, kUnlistable) == 0 || errno == EEXIST
             ? Status::success()
             : Status::failure(Step::kMounts, errno, path);
}

Status mount_tmpfs(const Spec& spec, const Record& record) {
  if (record.header->data_length == 0) {
    return mount_sized(spec, record, record.path, 1);
  }
  const char* const shared = record.data;
  if (Status status = mount_sized(spec, record, shared, kOwnInodes); !status.ok()) {
    return status;
  }
  {
    const Descriptor whole(open(shared, O_PATH | O_DIRECTORY | O_CLOEXEC));
    const AsSandbox owner(spec.header());
    if (!owner.holds()) {
      return Status::failure(Step::kMounts, EPERM, "setfsuid");
    }
    if (!whole.valid() || mkdirat(whole.get(), "tmp", kOwnDirectory) != 0 ||
        mkdirat(whole.get(), "shm", kSharedMemory) != 0) {
      return Status::failure(Step::kMounts, errno, shared);
    }
  }
  if (Status status = make_covered_directory(record.path); !status.ok()) {
    return status;
  }
  if (Status status = bind_directory(shared, "tmp", record.path); !status.ok()) {
    return status;
  }
  // Over the whole, which has no name from then on.
  return bind_directory(shared, "shm", shared);
}

}  // namespace codejail
