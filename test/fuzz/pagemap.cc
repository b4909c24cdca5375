// Entries of /proc/PID/pagemap, beside a reference that takes one page after the other.
#include <vector>

#include "cell/page_ranges.h"
#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kStart = 0x10000;

enum class Use : std::uint8_t { kNone, kRead, kWritten };

Use use_of(std::uint64_t entry, bool is_writable) {
  if ((entry & 1ULL << 63U) == 0) {
    return Use::kNone;
  }
  if ((entry & 1ULL << 61U) != 0) {
    return Use::kRead;
  }
  return (entry & 1ULL << 56U) != 0 && is_writable ? Use::kWritten : Use::kNone;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  PageRanges ranges(kPage);
  std::vector<Use> expected;
  std::vector<Use> found;
  std::uint64_t end = kStart;
  const auto note = [&](const PageRange& range) {
    require(range.start >= end && range.size > 0 && range.size % kPage == 0, "ranges go upwards");
    found.resize((range.start - kStart) / kPage);
    end = range.start + range.size;
    found.resize((end - kStart) / kPage, range.is_written != 0 ? Use::kWritten : Use::kRead);
  };
  while (input.left() > 0) {
    // A word of an area, then its entries: their flags alone, which is what counts.
    const auto area = input.take<std::uint8_t>();
    const bool is_writable = (area & 1U) != 0;
    std::vector<std::uint64_t> entries;
    for (unsigned i = 0; i < area >> 1U && input.left() > 0; ++i) {
      entries.push_back(std::uint64_t{input.take<std::uint8_t>()} << 56U | i);
    }
    const std::uint64_t start = kStart + expected.size() * kPage;
    for (const std::uint64_t entry : entries) {
      expected.push_back(use_of(entry, is_writable));
    }
    const Copy exact(entries.data(), entries.size() * sizeof(entries[0]));
    ranges.add(reinterpret_cast<const std::uint64_t*>(exact.data()), entries.size(), start,
               is_writable, note);
  }
  ranges.end(note);
  found.resize(expected.size());
  require(found == expected, "the ranges are the pages");
  return 0;
}
