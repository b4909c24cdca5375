// Something that the event loop does later, unless it is over before.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>

namespace codejail {

class Timer {
 public:
  using OnTime = std::function<void()>;

  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  // To be started once. Does not keep the event loop alive.
  void start(uv_loop_t* loop, std::uint64_t milliseconds, OnTime on_time);
  // The same again and again, until it is stopped. Keeps the event loop alive.
  void repeat(uv_loop_t* loop, std::uint64_t milliseconds, OnTime on_time);
  void stop();
  // Whether it keeps the event loop alive.
  void hold_loop(bool held) const;

 private:
  void start(uv_loop_t* loop, std::uint64_t first, std::uint64_t interval, OnTime on_time);

  uv_timer_t* handle_ = nullptr;
  OnTime on_time_;
};

}  // namespace codejail
