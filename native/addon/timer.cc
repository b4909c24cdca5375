#include "addon/timer.h"

#include <memory>
#include <utility>

#include "addon/uv_handle.h"

namespace codejail {

void Timer::start(uv_loop_t* loop, std::uint64_t milliseconds, OnTime on_time) {
  start(loop, milliseconds, 0, std::move(on_time));
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
}

void Timer::repeat(uv_loop_t* loop, std::uint64_t milliseconds, OnTime on_time) {
  start(loop, milliseconds, milliseconds, std::move(on_time));
}

void Timer::start(uv_loop_t* loop, std::uint64_t first, std::uint64_t interval, OnTime on_time) {
  on_time_ = std::move(on_time);
  handle_ = std::make_unique<uv_timer_t>().release();
  // Neither this nor the start can fail: libuv's timers are its own (uv_timer_start(3), EINVAL for
  // a handle that is closing, or nothing to call).
  (void)uv_timer_init(loop, handle_);
  // Else it would count from when the loop's turn began.
  uv_update_time(loop);
  handle_->data = this;
  (void)uv_timer_start(
      handle_,
      [](uv_timer_t* handle) {
        // A copy: what is called may be the end of this timer.
        const OnTime due = static_cast<Timer*>(handle->data)->on_time_;
        due();
      },
      first, interval);
}

void Timer::hold_loop(bool held) const {
  if (handle_ != nullptr) {
    auto* any = reinterpret_cast<uv_handle_t*>(handle_);
    held ? uv_ref(any) : uv_unref(any);
  }
}

void Timer::stop() {
  if (handle_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle_), free_handle<uv_timer_t>);
    handle_ = nullptr;
  }
}

}  // namespace codejail
