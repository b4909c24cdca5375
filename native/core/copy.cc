#include "core/copy.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <limits>

#include "core/descriptor.h"
#include "core/directory.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr int kMaxDepth = 64;
// Of one sendfile: so much may pass the budget before it is seen.
constexpr std::size_t kChunk = std::size_t{1} << 20U;
constexpr mode_t kDirectoryMode = 0555;

std::uint64_t whole_pages(std::uint64_t size) {
  constexpr std::uint64_t kMask = CopyBudget::kPage - 1;
  return size == 0 ? CopyBudget::kPage : (size + kMask) & ~kMask;
}

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

// Where the next data is, and the hole after it (lseek(2), SEEK_DATA). A file system that knows no
// holes, such as that of /proc, has data up to the end.
struct Extent {
  off_t start = 0;
  off_t end = std::numeric_limits<off_t>::max();
};

// False at the end of the file.
bool next_extent(int source, off_t at, Extent& extent) {
  extent = Extent{};
  extent.start = lseek(source, at, SEEK_DATA);
  if (extent.start < 0) {
    extent.start = at;
    return errno != ENXIO;
  }
  const off_t hole = lseek(source, extent.start, SEEK_HOLE);
  if (hole > extent.start) {
    extent.end = hole;
  }
  return lseek(source, extent.start, SEEK_SET) == extent.start;
}

// What is charged for one file while it is copied, which may grow meanwhile.
class FileCharge {
 public:
  FileCharge(CopyBudget& budget, std::uint64_t size)
      : budget_(budget), charged_(whole_pages(size)) {
    fits_ = budget.take(charged_);
  }

  bool cover(std::uint64_t size) {
    if (size > charged_) {
      const std::uint64_t more = whole_pages(size) - charged_;
      fits_ = fits_ && budget_.take(more);
      charged_ += more;
    }
    return fits_;
  }

 private:
  CopyBudget& budget_;
  std::uint64_t charged_;
  bool fits_ = true;
};

// One with holes stays so. All of its size is charged all the same: a program that maps a hole of a
// tmpfs makes it pages.
Status copy_file(int source, off_t size, int target_directory, const char* target_name, mode_t mode,
                 CopyBudget& budget, const char* path) {
  FileCharge charge(budget, static_cast<std::uint64_t>(size));
  if (!charge.cover(static_cast<std::uint64_t>(size))) {
    return failed(EFBIG, path);
  }
  Descriptor target(
      openat(target_directory, target_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!target.valid()) {
    return failed(errno, path);
  }
  off_t at = 0;
  Extent extent;
  while (next_extent(source, at, extent)) {
    at = extent.start;
    if (lseek(target.get(), at, SEEK_SET) != at) {
      return failed(errno, path);
    }
    while (at < extent.end) {
      const auto wanted = static_cast<std::uint64_t>(extent.end - at);
      const ssize_t count = sendfile(target.get(), source, nullptr,
                                     wanted < kChunk ? static_cast<std::size_t>(wanted) : kChunk);
      if (count < 0 && errno != EINTR) {
        return failed(errno, path);
      }
      if (count == 0) {
        break;
      }
      at += count > 0 ? count : 0;
      if (!charge.cover(static_cast<std::uint64_t>(at))) {
        return failed(EFBIG, path);
      }
    }
    if (at < extent.end) {
      break;
    }
  }
  // A hole at the end.
  return at >= size || ftruncate(target.get(), size) == 0 ? Status::success() : failed(errno, path);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by kMaxDepth.
Status copy_entry(int directory, const char* name, int target_directory, const char* target_name,
                  int depth, CopyBudget& budget, const char* path) {
  if (depth > kMaxDepth) {
    return failed(ELOOP, path);
  }
  struct stat status {};
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return failed(errno, path);
  }
  if (!S_ISREG(status.st_mode) && !budget.take(CopyBudget::kPage)) {
    return failed(EFBIG, path);
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
    const mode_t mode = (status.st_mode & 0111) != 0 ? 0555 : 0444;
    return copy_file(source.get(), status.st_size, target_directory, target_name, mode, budget,
                     path);
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
    Status copied = copy_entry(dirfd(entries.get()), entry->d_name, made.get(), entry->d_name,
                               depth + 1, budget, path);
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

Status copy_into_jail(int host, const char* source, const char* target, CopyBudget& budget) {
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
  return copy_entry(directory.get(), slash + 1, AT_FDCWD, target, 0, budget, source);
}

}  // namespace codejail
