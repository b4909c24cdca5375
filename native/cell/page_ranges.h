// Which pages of its memory a process uses, of the kernel's word for each (pagemap.rst), in ranges.
#pragma once

#include <cstddef>
#include <cstdint>

namespace codejail {

struct PageRange {
  std::uint64_t start;
  std::uint64_t size;  // in bytes
  std::uint64_t is_written;
};

// Joins the pages that follow one another and are used alike.
class PageRanges {
 public:
  explicit PageRanges(std::uint64_t page_size) : page_size_(page_size) {}

  // Goes over the entries of /proc/PID/pagemap for the pages from `start` on, and calls
  // `use(range)` for each range that has come to its end.
  template <typename Use>
  void add(const std::uint64_t* entries, std::size_t count, std::uint64_t start, bool is_writable,
           Use use) {
    for (std::size_t i = 0; i < count; ++i, start += page_size_) {
      // pagemap.rst.
      const bool is_present = (entries[i] >> 63U & 1U) != 0;
      const bool is_of_file = (entries[i] >> 61U & 1U) != 0;
      const bool is_exclusive = (entries[i] >> 56U & 1U) != 0;
      const bool is_own = is_exclusive && !is_of_file;
      if (!is_present || !(is_own ? is_writable : is_of_file)) {
        continue;
      }
      if (last_.size > 0 && last_.start + last_.size == start &&
          (last_.is_written != 0) == is_own) {
        last_.size += page_size_;
        continue;
      }
      end(use);
      last_ = {start, page_size_, is_own ? 1U : 0U};
    }
  }

  // The same for the last one, after which nothing follows.
  template <typename Use>
  void end(Use use) {
    if (last_.size > 0) {
      use(last_);
    }
    last_ = {};
  }

 private:
  std::uint64_t page_size_;
  PageRange last_{};
};

}  // namespace codejail
