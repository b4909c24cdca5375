// The sums of a jail, its CPU and its memory over all of its processes, against their limits.
#pragma once

#include <cstdint>

#include "core/report.h"
#include "core/spec.h"
#include "launcher/usage.h"

namespace codejail {

class SampledSums {
 public:
  explicit SampledSums(const SpecHeader& header);

  // The program begins: what its cgroup has used so far was the launcher's own work.
  void begin_program(pid_t main_process);
  void end_main_process() { sampler_.end_main_process(); }
  // Of a cell: its call begins, with these limits.
  void begin_call(const Order& order);

  [[nodiscard]] bool is_limited() const;
  // Whether anything can be summed up here.
  [[nodiscard]] bool can_look() const { return sampler_.can_look(); }
  // Sums up what lives. Memory that processes share is counted once where it decides.
  void look();
  // The same when nothing is decided by it any more: pages may be counted more than once.
  void look_roughly();
  [[nodiscard]] bool is_over_memory() const { return now_.memory_bytes > memory_limit_; }
  [[nodiscard]] bool is_over_cpu() const;
  // As the kernel does for one process: a second of CPU after SIGXCPU comes SIGKILL (setrlimit(2)).
  [[nodiscard]] bool is_over_grace() const;
  // How long until a sum could be over its limit: for the next look.
  int plan_next();

  [[nodiscard]] bool has_processes();
  [[nodiscard]] std::uint64_t peak_bytes() const { return peak_bytes_; }
  // Of one process, and of the main process: the most that was seen.
  [[nodiscard]] std::uint64_t peak_data_bytes() const { return peak_data_bytes_; }
  [[nodiscard]] std::uint64_t peak_stack_bytes() const { return peak_stack_bytes_; }
  // The most that was seen so far, or that the cgroup has counted.
  [[nodiscard]] std::uint64_t cpu_us() const;
  // What the main process used before its call is not the call's.
  [[nodiscard]] std::uint64_t user_us(std::uint64_t all) const;
  [[nodiscard]] std::uint64_t system_us(std::uint64_t all) const;

 private:
  [[nodiscard]] std::uint64_t cgroup_cpu() const;
  void take(std::uint64_t exact_above);

  int cpu_stat_;
  std::uint64_t cpu_limit_us_;
  std::uint64_t memory_limit_;
  UsageSampler sampler_;
  Sample now_;
  std::uint64_t peak_bytes_ = 0;
  std::uint64_t peak_data_bytes_ = 0;
  std::uint64_t peak_stack_bytes_ = 0;
  std::uint64_t cpu_us_ = 0;
  std::uint64_t spent_user_us_ = 0;
  std::uint64_t spent_system_us_ = 0;
  std::uint64_t cgroup_cpu_at_start_us_ = 0;
  std::uint64_t last_memory_ = 0;
  int memory_sleep_ms_;
  int hurry_ = 0;
};

}  // namespace codejail
