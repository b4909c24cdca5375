// The limits of setrlimit(2) that a call decides.
#pragma once

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace codejail {

constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};

using RlimitResource = decltype(RLIMIT_CPU);

// Of whom it is, and so when it is set.
enum class RlimitOf { kJail, kTasks, kProgram };

struct Rlimit {
  RlimitResource resource;
  const char* name;
  RlimitOf of;
  bool is_raised;  // without a limit of its own, to the hard limit that is in force
};

// The one table of them, in the order in which specs and calls have their values:
// lib/spec/rlimits.ts says what of a call's limits each is.
constexpr Rlimit kRlimits[] = {
    {RLIMIT_CPU, "RLIMIT_CPU", RlimitOf::kProgram, false},
    {RLIMIT_AS, "RLIMIT_AS", RlimitOf::kProgram, false},
    {RLIMIT_DATA, "RLIMIT_DATA", RlimitOf::kProgram, false},
    {RLIMIT_FSIZE, "RLIMIT_FSIZE", RlimitOf::kProgram, false},
    {RLIMIT_NPROC, "RLIMIT_NPROC", RlimitOf::kTasks, false},
    {RLIMIT_NOFILE, "RLIMIT_NOFILE", RlimitOf::kProgram, true},
    {RLIMIT_STACK, "RLIMIT_STACK", RlimitOf::kJail, true},
};
constexpr std::size_t kRlimitCount = std::size(kRlimits);

// The values of kRlimits; kUnlimited where there is none.
struct Rlimits {
  std::uint64_t values[kRlimitCount];

  [[nodiscard]] constexpr std::uint64_t operator[](RlimitResource resource) const {
    return values[place_of(resource)];
  }
  constexpr std::uint64_t& operator[](RlimitResource resource) {
    return values[place_of(resource)];
  }

 private:
  static constexpr std::size_t place_of(RlimitResource resource) {
    std::size_t place = 0;
    while (kRlimits[place].resource != resource) {
      ++place;
    }
    return place;
  }
};

}  // namespace codejail
