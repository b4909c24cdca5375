#include "timer.h"

#include <memory>
#include <utility>

#include "uv_handle.h"

namespace codejail {

void Timer::start(uv_loop_t* loop, std::uint64_t milliseconds, OnTime on_time) {
  on_time_ = std::move(on_time);
  handle_ = std::make_unique<uv_timer_t>().release();
  uv_timer_init(loop, handle_);
  // Else it would count from when the loop's turn began.
  uv_update_time(loop);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
  handle_->data = this;
  uv_timer_start(
      handle_, [](uv_timer_t* handle) { static_cast<Timer*>(handle->data)->on_time_(); },
      milliseconds, 0);
}

void Timer::stop() {
  if (handle_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle_), free_handle<uv_timer_t>);
    handle_ = nullptr;
  }
}

}  // namespace codejail
