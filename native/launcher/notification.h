// A system call that the filter has put to PID 1, and the answer to it (seccomp_unotify(2)).
#pragma once

#include <linux/seccomp.h>

#include <cstdint>

#include "core/descriptor.h"

namespace codejail {

class Notification {
 public:
  // False where the caller was killed or interrupted meanwhile (ENOENT). Does not wait where
  // poll(2) has just said that there is one.
  bool receive(const Descriptor& listener);

  [[nodiscard]] int number() const { return request_.data.nr; }
  [[nodiscard]] std::uint64_t argument(int index) const { return request_.data.args[index]; }
  [[nodiscard]] std::uint32_t caller() const { return request_.pid; }

  // Whether its caller still waits: it has neither been killed nor interrupted.
  [[nodiscard]] bool is_valid(const Descriptor& listener) const;

  // These three return false with errno where the caller could not be told, and waits. One that was
  // killed or interrupted meanwhile needs no answer.

  // The kernel makes the call, with arguments that it reads anew: nothing that lies behind a
  // pointer may have been decided on.
  [[nodiscard]] bool go_on(const Descriptor& listener) const;
  // With 0 the call has succeeded.
  [[nodiscard]] bool refuse(const Descriptor& listener, int error) const;
  // The call has succeeded, with this result.
  [[nodiscard]] bool complete(const Descriptor& listener, int result) const;
  // The caller has this open file as that number before it is answered. False where it is gone.
  [[nodiscard]] bool install(const Descriptor& listener, int descriptor, int number) const;
  // The caller gets a descriptor of the same open file, and its number is the call's result. Where
  // it has no number left, or this kernel (before 5.9) can't do it, EMFILE.
  [[nodiscard]] bool give(const Descriptor& listener, int descriptor, std::uint32_t flags) const;

 private:
  seccomp_notif request_{};
};

}  // namespace codejail
