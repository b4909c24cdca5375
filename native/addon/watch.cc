#include "watch.h"

#include <memory>
#include <utility>

#include "uv_handle.h"

namespace codejail {

void Watch::start(uv_loop_t* loop, int descriptor, int events, OnEvent on_event) {
  on_event_ = std::move(on_event);
  auto handle = std::make_unique<uv_poll_t>();
  // Where the loop does not take it, nothing is told: the end of the jail is.
  if (uv_poll_init(loop, handle.get(), descriptor) != 0) {
    return;
  }
  handle_ = handle.release();
  handle_->data = this;
  uv_poll_start(handle_, events, [](uv_poll_t* handle, int, int) {
    // A copy: what is called may be the end of this watch.
    const OnEvent on_event = static_cast<Watch*>(handle->data)->on_event_;
    on_event(handle->loop);
  });
}

void Watch::stop() {
  if (handle_ != nullptr) {
    uv_poll_stop(handle_);
    uv_close(reinterpret_cast<uv_handle_t*>(handle_), free_handle<uv_poll_t>);
    handle_ = nullptr;
  }
}

void Watch::hold_loop(bool held) const {
  if (handle_ != nullptr) {
    auto* any = reinterpret_cast<uv_handle_t*>(handle_);
    held ? uv_ref(any) : uv_unref(any);
  }
}

}  // namespace codejail
