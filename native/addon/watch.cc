#include "addon/watch.h"

#include <utility>

namespace codejail {
namespace {

// Between two looks at what can't be polled.
constexpr std::uint64_t kLookMs = 5;

}  // namespace

void Watch::start(Poller& poller, int descriptor, std::uint32_t events, OnEvent on_event) {
  stop();
  poller_ = &poller;
  descriptor_ = descriptor;
  events_ = events;
  on_event_ = std::move(on_event);
  if (!add()) {
    look_.repeat(poller.loop(), kLookMs, [this] {
      if (add()) {
        look_.stop();
      }
      tell();
    });
  }
  hold_loop(true);
}

bool Watch::add() {
  id_ = poller_->add(descriptor_, events_, [this] { tell(); });
  return id_ != 0;
}

void Watch::tell() const {
  // A copy: what is called may be the end of this watch.
  const OnEvent on_event = on_event_;
  on_event(poller_->loop());
}

void Watch::stop() {
  if (poller_ == nullptr) {
    return;
  }
  hold_loop(false);
  look_.stop();
  if (id_ != 0) {
    poller_->remove(id_, descriptor_);
  }
  poller_ = nullptr;
}

void Watch::hold_loop(bool held) {
  if (poller_ != nullptr && held != holds_loop_) {
    holds_loop_ = held;
    poller_->hold_loop(held);
    look_.hold_loop(held);
  }
}

}  // namespace codejail
