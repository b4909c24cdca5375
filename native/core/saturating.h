// Differences that can't wrap round.
#pragma once

#include <cstdint>

namespace codejail {

// 0 where `part` is more than `value`.
inline std::uint64_t saturating_difference(std::uint64_t value, std::uint64_t part) {
  return value > part ? value - part : 0;
}

}  // namespace codejail
