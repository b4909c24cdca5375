// How a filter goes on for each system call, by its number.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>

#include "core/filter.h"

namespace codejail {

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

class Calls {
 public:
  explicit Calls(std::uint32_t otherwise) {
    for (Next& next : next_) {
      next = {true, otherwise};
    }
  }
  void answer(int number, std::uint32_t action) { next_[number] = {true, action}; }
  void go(int number, Filter::Place place) { next_[number] = {false, place}; }
  [[nodiscard]] Filter::Place place(Filter& filter, int number) const {
    return place_of(filter, next_[number]);
  }
  [[nodiscard]] bool is_allowed(int number) const {
    return next_[number].is_action && next_[number].value == kAllow;
  }
  [[nodiscard]] bool is_refused(int number) const {
    return next_[number].is_action &&
           (next_[number].value & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
  }

  // A binary search. The kernel walks the filter once for each system call when it is installed
  // (kernel/seccomp.c, seccomp_cache_prepare): as a list that took a millisecond.
  Filter::Place search(Filter& filter) {
    std::uint32_t runs = 0;
    for (std::uint32_t number = 0; number < kNumbers; ++number) {
      if (number == 0 || !(next_[number] == next_[number - 1])) {
        starts_[runs++] = static_cast<std::uint16_t>(number);
      }
    }
    return search(filter, 0, runs - 1);
  }

 private:
  // Above the last number that the lists name; what lies beyond belongs to the last run.
  static constexpr std::uint32_t kNumbers = 512;

  struct Next {
    bool is_action;
    std::uint32_t value;

    bool operator==(const Next& other) const {
      return is_action == other.is_action && value == other.value;
    }
  };

  static Filter::Place place_of(Filter& filter, const Next& next) {
    return next.is_action ? filter.answer(next.value) : next.value;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the logarithm of the number of runs.
  Filter::Place search(Filter& filter, std::uint32_t first, std::uint32_t last) const {
    if (first == last) {
      return place_of(filter, next_[starts_[first]]);
    }
    const std::uint32_t middle = first + (last - first + 1) / 2;
    const Filter::Place above = search(filter, middle, last);
    const Filter::Place below = search(filter, first, middle - 1);
    return filter.if_at_least(starts_[middle], above, below);
  }

  Next next_[kNumbers];
  std::uint16_t starts_[kNumbers] = {};
};

}  // namespace codejail
