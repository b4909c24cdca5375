// The kernel's times as one number.
#pragma once

#include <sys/time.h>
#include <time.h>

#include <cstdint>

namespace codejail {

inline std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000U +
         static_cast<std::uint64_t>(time.tv_usec);
}
inline std::uint64_t microseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000U +
         static_cast<std::uint64_t>(time.tv_nsec) / 1000U;
}

}  // namespace codejail
