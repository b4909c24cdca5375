// A Python's reads of /proc/stat, /proc/meminfo, /proc/cpuinfo and /proc/uptime, which a jail has
// none of, since they tell of the host. psutil needs them to look at the program's own processes,
// and joblib needs psutil: so they are there with what the program knows or has by its limits.
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "output/instead.h"

namespace {

// What a pipe holds at least.
constexpr int kMostBytes = 4096;
constexpr unsigned long kKibibyte = 1024;

class Text {
 public:
  __attribute__((format(printf, 2, 3))) void add(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length =
        // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, two lines above
        std::vsnprintf(bytes_ + size_, static_cast<size_t>(kMostBytes - size_), format, arguments);
    va_end(arguments);
    // What has no room is left out whole.
    if (length >= 0 && length < kMostBytes - size_) {
      size_ += length;
    }
  }

  // What reads it; -1 with an errno.
  [[nodiscard]] int open(int flags) const {
    int ends[2];
    if (pipe2(ends, flags & O_CLOEXEC) != 0) {
      return -1;
    }
    const bool is_written = ::write(ends[1], bytes_, static_cast<size_t>(size_)) == size_;
    close(ends[1]);
    if (!is_written) {
      close(ends[0]);
      errno = ENOENT;
      return -1;
    }
    return ends[0];
  }

 private:
  char bytes_[kMostBytes];
  int size_ = 0;
};

timespec since_boot() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time;
}

int processors() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

void write_stat(Text& text) {
  constexpr char kTimes[] = "0 0 0 0 0 0 0 0 0 0";
  text.add("cpu  %s\n", kTimes);
  for (int i = 0; i < processors(); ++i) {
    text.add("cpu%d %s\n", i, kTimes);
  }
  text.add("intr 0\nctxt 0\nbtime %ld\nprocesses 0\nprocs_running 1\nprocs_blocked 0\n",
           static_cast<long>(std::time(nullptr) - since_boot().tv_sec));
}

unsigned long resident_kibibytes() {
  char bytes[128] = "";
  const int file =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, "/proc/self/statm", O_RDONLY | O_CLOEXEC, 0));
  unsigned long pages = 0;
  if (file >= 0) {
    const ssize_t length = read(file, bytes, sizeof(bytes) - 1);
    close(file);
    const char* const second = length <= 0 ? nullptr : std::strchr(bytes, ' ');
    pages = second == nullptr ? 0 : std::strtoul(second, nullptr, 10);
  }
  return pages * (static_cast<unsigned long>(sysconf(_SC_PAGESIZE)) / kKibibyte);
}

// What the jail may have is all the memory that there is.
void write_meminfo(Text& text) {
  constexpr unsigned long kUnlimited = 1UL << 30;  // 1 TiB
  constexpr unsigned long kLeastRoom = 32UL << 10;
  constexpr unsigned long kShareOfRoom = 5;
  rlimit data{};
  unsigned long total = kUnlimited;
  if (getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur / kKibibyte < kUnlimited) {
    // The wall stands by so much beyond the limit `memory` (lib/limits.ts, memoryWall).
    const unsigned long wall = data.rlim_cur / kKibibyte;
    total = wall - std::min(wall, std::max(kLeastRoom, wall / kShareOfRoom));
  }
  const unsigned long free = total - std::min(total, resident_kibibytes());
  text.add("MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n", total,
           free, free);
  for (const char* const name : {"Buffers:", "Cached:", "SwapCached:", "Active:", "Inactive:",
                                 "SwapTotal:", "SwapFree:", "Shmem:", "Slab:"}) {
    text.add("%-15s        0 kB\n", name);
  }
}

void write_cpuinfo(Text& text) {
  for (int i = 0; i < processors(); ++i) {
    text.add("processor\t: %d\nphysical id\t: 0\ncore id\t\t: %d\ncpu cores\t: %d\n\n", i, i,
             processors());
  }
}

void write_uptime(Text& text) {
  text.add("%ld.00 0.00\n", static_cast<long>(since_boot().tv_sec));
}

struct File {
  const char* path;
  void (*write)(Text&);
};
constexpr File kFiles[] = {
    {"/proc/stat", write_stat},
    {"/proc/meminfo", write_meminfo},
    {"/proc/cpuinfo", write_cpuinfo},
    {"/proc/uptime", write_uptime},
};

int open_file(const char* path, int flags, mode_t mode) {
  constexpr char kProc[] = "/proc/";
  if (path != nullptr && std::strncmp(path, kProc, sizeof(kProc) - 1) == 0 &&
      (flags & O_ACCMODE) == O_RDONLY) {
    for (const File& file : kFiles) {
      if (std::strcmp(path, file.path) == 0) {
        Text text;
        file.write(text);
        return text.open(flags);
      }
    }
  }
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

}  // namespace

// By their names in the library: the headers may have one mean the other.
CODEJAIL_INSTEAD int open_instead(const char* path, int flags, ...) __asm__("open");

int open_instead(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
    va_list arguments;
    va_start(arguments, flags);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, a line above
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  return open_file(path, flags, mode);
}

CODEJAIL_INSTEAD int open64_instead(const char* path, int flags, ...) __asm__("open64")
    __attribute__((alias("open")));
