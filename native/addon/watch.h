// A descriptor of which the event loop tells.
#pragma once

#include <cstdint>
#include <functional>

#include "addon/poller.h"
#include "addon/timer.h"

namespace codejail {

class Watch {
 public:
  using OnEvent = std::function<void(uv_loop_t*)>;

  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  // `events` as for Poller::add. `on_event` may also be called where there is nothing: a descriptor
  // that the kernel does not take is looked at again and again until it does.
  void start(Poller& poller, int descriptor, std::uint32_t events, OnEvent on_event);
  void stop();
  // Whether it keeps the event loop alive; at first it does.
  void hold_loop(bool held);

 private:
  bool add();
  void tell() const;

  Poller* poller_ = nullptr;  // as long as it is started
  int descriptor_ = -1;
  std::uint32_t events_ = 0;
  OnEvent on_event_;
  std::uint64_t id_ = 0;
  Timer look_;
  bool holds_loop_ = false;
};

}  // namespace codejail
