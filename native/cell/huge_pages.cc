#include "cell/huge_pages.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cell/memory_map.h"

namespace codejail {
namespace {

constexpr std::uint64_t kHuge = 2U << 20U;
constexpr std::uint64_t kPage = 4096;
// Of 512: what is not used is memory that each template takes for nothing.
constexpr std::uint64_t kWorthwhile = 64 * kPage;
constexpr std::size_t kMostChunks = 16;
constexpr char kHugeBytes[] = "AnonHugePages:";

// Mappings of files without a gap between them, none of which this process may write to.
struct Run {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

// Calls `use(run)` for each such run.
template <typename Use>
void for_each_run(Use use) {
  MemoryMap map;
  Run run;
  Area area;
  while (map.next(area)) {
    const bool is_constant =
        area.kind == AreaKind::kFile && area.is_readable && !area.is_writable && area.is_private;
    if (is_constant && area.start == run.end) {
      run.end = area.end;
      continue;
    }
    use(run);
    run = is_constant ? Run{area.start, area.end} : Run{};
  }
  use(run);
}

std::uint64_t used_in(const PageRange* ranges, std::size_t count, std::uint64_t chunk) {
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t end = ranges[i].start + ranges[i].size;
    const std::uint64_t from = ranges[i].start > chunk ? ranges[i].start : chunk;
    const std::uint64_t to = end < chunk + kHuge ? end : chunk + kHuge;
    used += to > from ? to - from : 0;
  }
  return used;
}

// Only the whole of a huge page says so.
bool is_huge(std::uint64_t address) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> maps(
      std::fopen("/proc/self/smaps", "re"), std::fclose);
  char line[8192];
  bool found = false;
  while (maps && std::fgets(line, sizeof(line), maps.get()) != nullptr) {
    Area area;
    if (read_area(line, area)) {
      found = area.start <= address && address < area.end;
    } else if (found && std::strncmp(line, kHugeBytes, sizeof(kHugeBytes) - 1) == 0) {
      return std::strtoull(line + sizeof(kHugeBytes) - 1, nullptr, 10) * 1024 >= kHuge;
    }
  }
  return false;
}

// False where it can't be told: code would be exchanged for what can't be executed.
bool find_code(std::uint64_t chunk, bool& has_code) {
  MemoryMap map;
  Area area;
  has_code = false;
  while (map.next(area)) {
    has_code = has_code || (area.is_executable && area.start < chunk + kHuge && chunk < area.end);
  }
  return map.is_whole();
}

class Mapping {
 public:
  explicit Mapping(std::size_t size)
      : address_(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
        size_(size) {}
  ~Mapping() {
    if (valid()) {
      munmap(address_, size_);
    }
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  [[nodiscard]] bool valid() const { return address_ != MAP_FAILED; }
  [[nodiscard]] std::uint64_t start() const { return reinterpret_cast<std::uint64_t>(address_); }

 private:
  void* address_;
  std::size_t size_;
};

// The same bytes at the same place, so that this very code may be among them: mremap exchanges them
// in one step. Constants become executable where they share the 2 MiB with code.
bool exchange(std::uint64_t chunk) {
  const Mapping room(2 * kHuge);
  if (!room.valid()) {
    return false;
  }
  const std::uint64_t aligned = (room.start() + kHuge - 1) / kHuge * kHuge;
  auto* copy = reinterpret_cast<char*>(aligned);
  auto* target = reinterpret_cast<char*>(chunk);
  if (madvise(copy, kHuge, MADV_HUGEPAGE) != 0) {
    return false;
  }
  std::memcpy(copy, target, kHuge);
  bool has_code = false;
  if (!find_code(chunk, has_code)) {
    return false;
  }
  const int protection = has_code ? PROT_READ | PROT_EXEC : PROT_READ;
  return is_huge(aligned) && mprotect(copy, kHuge, protection) == 0 &&
         mremap(copy, kHuge, kHuge, MREMAP_MAYMOVE | MREMAP_FIXED, target) != MAP_FAILED;
}

}  // namespace

std::size_t take_huge_pages(PageRange* ranges, std::size_t count) {
  // Listed before anything is moved, which changes the list.
  std::uint64_t chunks[kMostChunks];
  std::size_t found = 0;
  for_each_run([&](const Run& run) {
    for (std::uint64_t at = (run.start + kHuge - 1) / kHuge * kHuge; at + kHuge <= run.end;
         at += kHuge) {
      if (found < kMostChunks && used_in(ranges, count, at) >= kWorthwhile) {
        chunks[found++] = at;
      }
    }
  });
  for (std::size_t i = 0; i < found; ++i) {
    if (!exchange(chunks[i])) {
      continue;
    }
    std::size_t left = 0;
    for (std::size_t j = 0; j < count; ++j) {
      if (used_in(ranges + j, 1, chunks[i]) < ranges[j].size) {
        ranges[left++] = ranges[j];
      }
    }
    count = left;
  }
  return count;
}

}  // namespace codejail
