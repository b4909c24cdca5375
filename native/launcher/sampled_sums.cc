#include "launcher/sampled_sums.h"

#include <algorithm>

#include "core/cgroup.h"
#include "core/saturating.h"

namespace codejail {
namespace {

constexpr int kLongestSleepMs = 50;
constexpr int kShortestSleepMs = 2;
// Of the last look before the CPU is used up: limits are precise to a millisecond.
constexpr int kLastSleepMs = 1;
constexpr int kHurriedSamples = 50;
constexpr std::uint64_t kGraceUs = 1000000;
constexpr std::uint64_t kGrowth = 1U << 20U;

}  // namespace

SampledSums::SampledSums(const SpecHeader& header)
    : cpu_stat_(header.descriptors[kCpuStatFd]),
      cpu_limit_us_(header.cpu_us),
      memory_limit_(header.memory_bytes),
      memory_sleep_ms_(kShortestSleepMs) {
  sampler_.set_most_files(header.rlimits[RLIMIT_NOFILE]);
}

void SampledSums::begin_program(pid_t main_process) {
  cgroup_cpu_at_start_us_ = cgroup_cpu_us(cpu_stat_);
  sampler_.begin(main_process, 0, 0);
}

void SampledSums::begin_call(const Order& order) {
  cpu_limit_us_ = order.cpu_us;
  memory_limit_ = order.memory_bytes;
  sampler_.set_most_files(order.most_files);
  spent_user_us_ = order.spent_user_us;
  spent_system_us_ = order.spent_system_us;
  sampler_.begin(order.main_process, order.spent_user_us + order.spent_system_us,
                 order.inherited_bytes);
}

bool SampledSums::is_limited() const {
  return cpu_limit_us_ != kUnlimited || memory_limit_ != kUnlimited;
}

// The cgroup's own sum has the CPU of every process that ever was in it: nothing is missed. This
// process is in it, too.
std::uint64_t SampledSums::cgroup_cpu() const {
  return saturating_difference(cgroup_cpu_us(cpu_stat_),
                               cgroup_cpu_at_start_us_ + sampler_.own_us() + sampler_.spent_us());
}

void SampledSums::take(std::uint64_t exact_above) {
  now_ = sampler_.take(exact_above);
  if (const std::uint64_t cpu = cgroup_cpu(); cpu > 0) {
    now_.cpu_us = std::max(cpu, now_.cpu_us);
    now_.missed = false;
  }
  peak_bytes_ = std::max(peak_bytes_, now_.memory_bytes);
  peak_data_bytes_ = std::max(peak_data_bytes_, now_.data_bytes);
  peak_stack_bytes_ = std::max(peak_stack_bytes_, now_.stack_bytes);
  cpu_us_ = std::max(cpu_us_, now_.cpu_us);
}

void SampledSums::look() {
  take(memory_limit_);
}

void SampledSums::look_roughly() {
  take(kUnlimited);
}

bool SampledSums::is_over_cpu() const {
  return cpu_limit_us_ != kUnlimited && now_.cpu_us >= cpu_limit_us_;
}

bool SampledSums::is_over_grace() const {
  return is_over_cpu() && now_.cpu_us - cpu_limit_us_ >= kGraceUs;
}

// No longer than the jail could need to reach its CPU limit with all its processes.
int SampledSums::plan_next() {
  int sleep_ms = kLongestSleepMs;
  if (memory_limit_ != kUnlimited) {
    // A process that is filling memory is looked at more often than one that sits still.
    memory_sleep_ms_ = now_.memory_bytes > last_memory_ + kGrowth
                           ? kShortestSleepMs
                           : std::min(memory_sleep_ms_ * 2, kLongestSleepMs);
    last_memory_ = now_.memory_bytes;
    sleep_ms = memory_sleep_ms_;
  }
  if (cpu_limit_us_ != kUnlimited && now_.processes > 0) {
    const std::uint64_t soonest =
        saturating_difference(cpu_limit_us_, now_.cpu_us) / 1000U / now_.processes;
    if (soonest < static_cast<std::uint64_t>(sleep_ms)) {
      sleep_ms = std::max(static_cast<int>(soonest), kLastSleepMs);
    }
    // The running sum has those that nobody waits for from samples only.
    if (now_.missed) {
      hurry_ = kHurriedSamples;
    }
    if (hurry_ > 0) {
      --hurry_;
      sleep_ms = kShortestSleepMs;
    }
  }
  return sleep_ms;
}

bool SampledSums::has_processes() {
  return sampler_.take(kUnlimited).processes > 0;
}

std::uint64_t SampledSums::cpu_us() const {
  return std::max(cpu_us_, cgroup_cpu());
}

std::uint64_t SampledSums::user_us(std::uint64_t all) const {
  return saturating_difference(all, spent_user_us_);
}

std::uint64_t SampledSums::system_us(std::uint64_t all) const {
  return saturating_difference(all, spent_system_us_);
}

}  // namespace codejail
