#include "launcher/limits.h"

#include <signal.h>

#include <algorithm>

#include "core/monotonic_clock.h"
#include "launcher/children.h"

namespace codejail {
namespace {

constexpr std::uint64_t kMillisecond = 1000000;
constexpr std::uint64_t kNoMoment = ~std::uint64_t{0};

}  // namespace

void Limits::begin_program(pid_t main_process) {
  has_begun_ = true;
  sums_.begin_program(main_process);
}

void Limits::wait_for_call() {
  has_begun_ = true;
  sleep_ms_ = kNever;
  next_look_ns_ = kNoMoment;
}

void Limits::begin_call(const Order& order) {
  sums_.begin_call(order);
  next_look_ns_ = 0;
}

bool Limits::is_due() const {
  return monotonic_ns() >= next_look_ns_;
}

std::uint64_t Limits::due_ns() const {
  return sleep_ms_ < 0 ? kNoMoment : next_look_ns_;
}

void Limits::look() {
  const std::uint64_t before = monotonic_ns();
  check();
  const std::uint64_t after = monotonic_ns();
  // However many processes there are: not more than half of the time.
  next_look_ns_ =
      sleep_ms_ < 0
          ? kNoMoment
          : after + std::max(static_cast<std::uint64_t>(sleep_ms_) * kMillisecond, after - before);
}

void Limits::check() {
  if (!has_begun_) {
    return;
  }
  if (!sums_.is_limited()) {
    sleep_ms_ = kNever;
    return;
  }
  sums_.look();
  if (on_memory_ && sums_.is_over_memory()) {
    on_memory_();
  } else if (report_.verdict == Verdict::kNone && sums_.is_over_memory()) {
    report_.verdict = Verdict::kMemory;
    kill_all();
  }
  if (report_.verdict == Verdict::kNone && sums_.is_over_cpu()) {
    report_.verdict = Verdict::kCpu;
    (void)kill(-1, SIGXCPU);  // ESRCH: it has just ended
  }
  if (sums_.is_over_grace()) {
    kill_all();
  }
  sleep_ms_ = sums_.plan_next();
}

}  // namespace codejail
