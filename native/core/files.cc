#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>

#include "core/as_sandbox.h"
#include "core/write_whole.h"

namespace codejail {

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

Status copy_file(int host, const Record& record, CopyBudget& budget) {
  budget.limit_to(record.header->first);
  return copy_into_jail(host, record.data, record.path, budget);
}

bool is_own(const Record& record) {
  const RecordKind kind = record.header->kind;
  return (kind == RecordKind::kFile || kind == RecordKind::kDirectory) &&
         record.header->first == kProgramsOwn;
}

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

Status open_tmp_directory(const Spec& spec, Descriptor& tmp_directory) {
  const Record tmp = spec.find(RecordKind::kTmpDirectory);
  if (tmp.header == nullptr) {
    return Status::failure(Step::kMounts, EINVAL, "the spec names no tmp directory");
  }
  tmp_directory.reset(open(tmp.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return tmp_directory.valid() ? Status::success()
                               : Status::failure(Step::kMounts, errno, tmp.path);
}

}  // namespace codejail
