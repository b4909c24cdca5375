// A descriptor that the event loop polls.
#pragma once

#include <uv.h>

#include <functional>

namespace codejail {

class Watch {
 public:
  using OnEvent = std::function<void(uv_loop_t*)>;

  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  // `events` as for uv_poll_start.
  void start(uv_loop_t* loop, int descriptor, int events, OnEvent on_event);
  void stop();
  // Whether it keeps the event loop alive; at first it does.
  void hold_loop(bool held) const;

 private:
  uv_poll_t* handle_ = nullptr;
  OnEvent on_event_;
};

}  // namespace codejail
