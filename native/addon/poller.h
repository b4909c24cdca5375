// Descriptors that the event loop polls, in an epoll of this environment's own. libuv adds to its
// own one when it is too late to refuse, and ends the process where the kernel does: for want of
// memory, or since this user's watches are used up (uv__io_poll; epoll(7), max_user_watches).
#pragma once

#include <sys/epoll.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "core/descriptor.h"

namespace codejail {

class Poller {
 public:
  using OnEvent = std::function<void()>;

  static constexpr std::uint32_t kDisconnected = EPOLLRDHUP;
  static constexpr std::uint32_t kReadable = EPOLLIN | EPOLLRDHUP;

  Poller() = default;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  void begin(uv_loop_t* loop) { loop_ = loop; }
  // Has something called for a descriptor as long as its events are there, hang-ups and errors
  // included. What is given is for `remove`; 0 where the kernel refuses.
  std::uint64_t add(int descriptor, std::uint32_t events, OnEvent on_event);
  // The descriptor is open still.
  void remove(std::uint64_t id, int descriptor);
  // The event loop lives while more have said so than taken it back.
  void hold_loop(bool held);
  // Nothing is told any more; the handle's memory is the loop's until its next turn.
  void close();
  [[nodiscard]] uv_loop_t* loop() const { return loop_; }

 private:
  bool open();
  void tell();

  uv_loop_t* loop_ = nullptr;
  uv_poll_t* handle_ = nullptr;
  Descriptor set_;
  // By numbers that are never given again: an event may still be told of one that is gone.
  std::unordered_map<std::uint64_t, OnEvent> added_;
  std::uint64_t last_ = 0;
  unsigned holders_ = 0;
};

}  // namespace codejail
