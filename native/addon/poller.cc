#include "addon/poller.h"

#include <memory>
#include <utility>

#include "addon/uv_handle.h"

namespace codejail {
namespace {

// In one turn of the loop; of the others it is told in the next.
constexpr int kAtOnce = 64;

}  // namespace

bool Poller::open() {
  if (handle_ != nullptr) {
    return true;
  }
  Descriptor set(epoll_create1(EPOLL_CLOEXEC));
  auto handle = std::make_unique<uv_poll_t>();
  if (!set.valid() || uv_poll_init(loop_, handle.get(), set.get()) != 0) {
    return false;
  }
  handle->data = this;
  const auto on_ready = [](uv_poll_t* ready, int, int) {
    static_cast<Poller*>(ready->data)->tell();
  };
  // From now on the loop refers to it.
  handle_ = handle.release();
  set_ = std::move(set);
  if (uv_poll_start(handle_, UV_READABLE, on_ready) != 0) {
    close();
    return false;
  }
  if (holders_ == 0) {
    uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
  }
  return true;
}

std::uint64_t Poller::add(int descriptor, std::uint32_t events, OnEvent on_event) {
  if (!open()) {
    return 0;
  }
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.u64 = last_ + 1;
  if (epoll_ctl(set_.get(), EPOLL_CTL_ADD, descriptor, &wanted) != 0) {
    return 0;
  }
  added_.emplace(++last_, std::move(on_event));
  return last_;
}

void Poller::remove(std::uint64_t id, int descriptor) {
  added_.erase(id);
  if (set_.valid()) {
    // It fails for what is not in it.
    (void)epoll_ctl(set_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
  }
}

void Poller::hold_loop(bool held) {
  holders_ = held ? holders_ + 1 : holders_ - 1;
  if (handle_ != nullptr) {
    auto* any = reinterpret_cast<uv_handle_t*>(handle_);
    holders_ > 0 ? uv_ref(any) : uv_unref(any);
  }
}

void Poller::tell() {
  epoll_event events[kAtOnce];
  // Where it fails they are told in the next turn: they stay until they are looked at.
  const int count = epoll_wait(set_.get(), events, kAtOnce, 0);
  for (int i = 0; i < count; ++i) {
    const auto found = added_.find(events[i].data.u64);
    if (found != added_.end()) {
      // A copy: what is called may remove it.
      const OnEvent on_event = found->second;
      on_event();
    }
  }
}

void Poller::close() {
  if (handle_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(handle_), free_handle<uv_poll_t>);
    handle_ = nullptr;
  }
  set_.reset();
}

}  // namespace codejail
