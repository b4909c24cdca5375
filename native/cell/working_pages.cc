#include "cell/working_pages.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "cell/huge_pages.h"
#include "cell/memory_map.h"
#include "core/descriptor.h"
#include "core/monotonic_clock.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

// Linux 5.14; older headers lack them.
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;

constexpr std::size_t kMostRanges = 16384;
constexpr std::size_t kEntries = 512;

std::int64_t monotonic_ms() {
  return static_cast<std::int64_t>(monotonic_ns() / 1000000U);
}

// False where the kernel is an older one.
bool populate(const PageRange& range, int advice) {
  return madvise(reinterpret_cast<void*>(range.start), range.size, advice) == 0 || errno != EINVAL;
}

// Sends ranges to whoever takes the pages.
class RangeWriter {
 public:
  explicit RangeWriter(int descriptor) : descriptor_(descriptor) {}

  void write(const PageRange& range) {
    if (count_ < kMostRanges) {
      ++count_;
      good_ =
          good_ && write_whole(descriptor_, reinterpret_cast<const char*>(&range), sizeof(range));
    }
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  int descriptor_;
  std::size_t count_ = 0;
  bool good_ = true;
};

}  // namespace

bool WorkingPages::report(int descriptor) {
  const Descriptor pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) {
    return false;
  }
  const auto page_size = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  PageRanges ranges(page_size);
  RangeWriter writer(descriptor);
  const auto send = [&](const PageRange& range) { writer.write(range); };
  MemoryMap map;
  Area area;
  while (map.next(area)) {
    if (area.kind == AreaKind::kKernel || !area.is_readable || !area.is_private) {
      continue;
    }
    std::uint64_t at = area.start;
    while (at < area.end) {
      std::uint64_t entries[kEntries];
      const std::uint64_t pages = (area.end - at) / page_size;
      const std::size_t most = pages < kEntries ? static_cast<std::size_t>(pages) : kEntries;
      const ssize_t count = pread(pagemap.get(), entries, most * sizeof(entries[0]),
                                  static_cast<off_t>(at / page_size * sizeof(entries[0])));
      if (count < static_cast<ssize_t>(sizeof(entries[0]))) {
        break;
      }
      const std::size_t got = static_cast<std::size_t>(count) / sizeof(entries[0]);
      ranges.add(entries, got, at, area.is_writable, send);
      at += got * page_size;
    }
  }
  ranges.end(send);
  return writer.good();
}

bool WorkingPages::learn(int descriptor, int patience_ms) {
  const std::int64_t end = monotonic_ms() + patience_ms;
  auto ranges = std::make_unique<PageRange[]>(kMostRanges);
  auto* bytes = reinterpret_cast<char*>(ranges.get());
  const std::size_t room = kMostRanges * sizeof(PageRange);
  std::size_t size = 0;
  while (size < room) {
    pollfd readable{descriptor, POLLIN, 0};
    const std::int64_t left = end - monotonic_ms();
    if (left <= 0) {
      return false;
    }
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) {
      continue;
    }
    const ssize_t count = read(descriptor, bytes + size, room - size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      break;
    }
    size += static_cast<std::size_t>(count);
  }
  count_ = take_huge_pages(ranges.get(), size / sizeof(PageRange));
  ranges_ = std::make_unique<PageRange[]>(count_);
  std::memcpy(ranges_.get(), ranges.get(), count_ * sizeof(PageRange));
  return true;
}

void WorkingPages::take() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!populate(ranges_[i], ranges_[i].is_written != 0 ? kPopulateWrite : kPopulateRead)) {
      return;
    }
  }
}

void WorkingPages::take_written() const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (ranges_[i].is_written != 0 && !populate(ranges_[i], kPopulateWrite)) {
      return;
    }
  }
}

WorkingPages& learned_pages() {
  // Never destroyed: Python ends a process in more than one way.
  static WorkingPages* const only = std::make_unique<WorkingPages>().release();
  return *only;
}

}  // namespace codejail
