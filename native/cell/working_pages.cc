#include "working_pages.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "descriptor.h"
#include "huge_pages.h"
#include "memory_map.h"
#include "monotonic_clock.h"
#include "write_whole.h"

namespace codejail {
namespace {

// Linux 5.14; older headers lack them.
constexpr int kPopulateRead = 22;
constexpr int kPopulateWrite = 23;

// pagemap.rst.
constexpr std::uint64_t kPresent = 1ULL << 63U;
constexpr std::uint64_t kOfFile = 1ULL << 61U;
constexpr std::uint64_t kExclusive = 1ULL << 56U;

constexpr std::size_t kMostRanges = 16384;
constexpr std::size_t kEntries = 512;

std::int64_t monotonic_ms() {
  return static_cast<std::int64_t>(monotonic_ns() / 1000000U);
}

class Collector {
 public:
  explicit Collector(int descriptor) : descriptor_(descriptor) {}

  void add(std::uint64_t page, std::uint64_t size, bool is_written) {
    if (last_.size > 0 && last_.start + last_.size == page &&
        (last_.is_written != 0) == is_written) {
      last_.size += size;
      return;
    }
    flush();
    last_ = {page, size, is_written ? 1U : 0U};
  }

  void flush() {
    if (last_.size > 0 && count_ < kMostRanges) {
      ++count_;
      good_ =
          good_ && write_whole(descriptor_, reinterpret_cast<const char*>(&last_), sizeof(last_));
    }
    last_ = {};
  }

  [[nodiscard]] bool good() const { return good_; }

 private:
  int descriptor_;
  PageRange last_{};
  std::size_t count_ = 0;
  bool good_ = true;
};

void collect(int pagemap, std::uint64_t start, std::uint64_t end, bool is_writable,
             Collector& collector) {
  const auto page_size = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::uint64_t entries[kEntries];
  while (start < end) {
    const std::uint64_t wanted = (end - start) / page_size;
    const std::size_t most = wanted < kEntries ? static_cast<std::size_t>(wanted) : kEntries;
    const ssize_t count = pread(pagemap, entries, most * sizeof(entries[0]),
                                static_cast<off_t>(start / page_size * sizeof(entries[0])));
    if (count <= 0) {
      return;
    }
    const std::size_t got = static_cast<std::size_t>(count) / sizeof(entries[0]);
    for (std::size_t i = 0; i < got; ++i, start += page_size) {
      const std::uint64_t entry = entries[i];
      if ((entry & kPresent) == 0) {
        continue;
      }
      const bool is_own = (entry & kExclusive) != 0 && (entry & kOfFile) == 0;
      if (is_own ? is_writable : (entry & kOfFile) != 0) {
        collector.add(start, page_size, is_own);
      }
    }
  }
}

}  // namespace

bool WorkingPages::report(int descriptor) {
  const Descriptor pagemap(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap.valid()) {
    return false;
  }
  MemoryMap map;
  Area area;
  Collector collector(descriptor);
  while (map.next(area)) {
    if (area.kind != AreaKind::kKernel && area.is_readable && area.is_private) {
      collect(pagemap.get(), area.start, area.end, area.is_writable, collector);
    }
  }
  collector.flush();
  return collector.good();
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
    const PageRange& range = ranges_[i];
    const int advice = range.is_written != 0 ? kPopulateWrite : kPopulateRead;
    if (madvise(reinterpret_cast<void*>(range.start), range.size, advice) != 0 && errno == EINVAL) {
      // An older kernel.
      return;
    }
  }
}

}  // namespace codejail
