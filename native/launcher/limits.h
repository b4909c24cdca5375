// The limits of a jail's sums: when they are looked at, and what follows where one is over.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <utility>

#include "core/report.h"
#include "core/spec.h"
#include "launcher/sampled_sums.h"

namespace codejail {

class Limits {
 public:
  // The verdict is written to `report`.
  Limits(Report& report, const SpecHeader& header) : report_(report), sums_(header) {}

  [[nodiscard]] SampledSums& sums() { return sums_; }

  // The program begins. What there was before is the launcher's own work, and is not looked at.
  void begin_program(pid_t main_process);
  // Of a cell: nothing is looked at before its call.
  void wait_for_call();
  // Of a cell: its call begins, and the first look is due.
  void begin_call(const Order& order);
  // Nothing is looked at any more.
  void rest() { sleep_ms_ = kNever; }

  // Told that the memory is over its limit, in the place of a verdict on all of it.
  void set_on_memory(std::function<void()> on_memory) { on_memory_ = std::move(on_memory); }

  [[nodiscard]] bool is_due() const;
  // The moment of the next look (CLOCK_MONOTONIC), the largest number where there is none.
  [[nodiscard]] std::uint64_t due_ns() const;
  // Looks at the sums, and ends what is over a limit.
  void look();

 private:
  static constexpr int kNever = -1;
  static constexpr int kFirstSleepMs = 2;

  void check();

  Report& report_;
  SampledSums sums_;
  std::function<void()> on_memory_;
  bool has_begun_ = false;
  int sleep_ms_ = kFirstSleepMs;
  std::uint64_t next_look_ns_ = 0;
};

}  // namespace codejail
