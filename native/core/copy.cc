#include "copy.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <climits>
#include <cstdio>
#include <cstring>

#include "descriptor.h"
#include "directory.h"
#include "syscalls.h"

namespace codejail {
namespace {

constexpr int kMaxDepth = 64;
constexpr mode_t kDirectoryMode = 0555;

Status failed(int error, const char* path) {
  return Status::failure(Step::kCopyFiles, error, path);
}

Status copy_link(int directory, const char* name, int target_directory, const char* target_name,
                 const char* path) {
  char text[PATH_MAX];
  const ssize_t length = readlinkat(directory, name, text, sizeof(text) - 1);
  if (length < 0) {
    return failed(errno, path);
  }
  text[length] = '\0';
  return symlinkat(text, target_directory, target_name) == 0 ? Status::success()
                                                             : failed(errno, path);
}

Status copy_file(int source, const struct stat& status, int target_directory,
                 const char* target_name, const char* path) {
  const mode_t mode = (status.st_mode & 0111) != 0 ? 0555 : 0444;
  Descriptor target(
      openat(target_directory, target_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!target.valid()) {
    return failed(errno, path);
  }
  for (;;) {
    const ssize_t count = sendfile(target.get(), source, nullptr, 1U << 30U);
    if (count == 0) {
      return Status::success();
    }
    if (count < 0 && errno != EINTR) {
      return failed(errno, path);
    }
  }
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by kMaxDepth.
Status copy_entry(int directory, const char* name, int target_directory, const char* target_name,
                  int depth, const char* path) {
  if (depth > kMaxDepth) {
    return failed(ELOOP, path);
  }
  struct stat status {};
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return failed(errno, path);
  }
  if (S_ISLNK(status.st_mode)) {
    return copy_link(directory, name, target_directory, target_name, path);
  }
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return failed(EINVAL, path);
  }
  // O_NONBLOCK: what was a file may be a FIFO by now. What was opened is looked at again below.
  Descriptor source(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!source.valid() || fstat(source.get(), &status) != 0) {
    return failed(errno, path);
  }
  if (S_ISREG(status.st_mode)) {
    return copy_file(source.get(), status, target_directory, target_name, path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return failed(EINVAL, path);
  }
  // Writable while it is filled: without CAP_DAC_OVERRIDE its owner needs the bit.
  if (mkdirat(target_directory, target_name, 0755) != 0) {
    return failed(errno, path);
  }
  Descriptor made(openat(target_directory, target_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!made.valid()) {
    return failed(errno, path);
  }
  const Directory entries = directory_of(std::move(source));
  if (!entries) {
    return failed(errno, path);
  }
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(entries.get());
    if (entry == nullptr) {
      break;
    }
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    Status copied =
        copy_entry(dirfd(entries.get()), entry->d_name, made.get(), entry->d_name, depth + 1, path);
    if (!copied.ok()) {
      return copied;
    }
  }
  if (errno != 0 || fchmod(made.get(), kDirectoryMode) != 0) {
    return failed(errno, path);
  }
  return Status::success();
}

}  // namespace

Status copy_into_jail(int host, const char* source, const char* target) {
  const char* slash = std::strrchr(source, '/');
  if (slash == nullptr || slash[1] == '\0') {
    return failed(EINVAL, source);
  }
  char parent[PATH_MAX];
  const int length =
      std::snprintf(parent, sizeof(parent), "%.*s/", static_cast<int>(slash - source), source);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(parent)) {
    return failed(ENAMETOOLONG, source);
  }
  Descriptor directory(
      sys_openat2(host, parent, O_PATH | O_DIRECTORY | O_CLOEXEC, RESOLVE_IN_ROOT));
  if (!directory.valid()) {
    return failed(errno, source);
  }
  return copy_entry(directory.get(), slash + 1, AT_FDCWD, target, 0, source);
}

}  // namespace codejail
