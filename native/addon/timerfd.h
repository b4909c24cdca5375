// The timer by which the server has a cell's supervisor look for orders: an order alone does not
// wake it, since most calls are over before it would have to.
#pragma once

#include "core/descriptor.h"

namespace codejail {

class Timerfd {
 public:
  Timerfd() = default;
  // Not set. Invalid, with errno, where there can't be one.
  static Timerfd make();

  [[nodiscard]] bool valid() const { return timer_.valid(); }
  [[nodiscard]] int get() const { return timer_.get(); }
  // Goes off once, after so many nanoseconds, from 1 to 999,999,999. Nothing where it is invalid.
  void set(long nanoseconds) const;

 private:
  Descriptor timer_;
};

}  // namespace codejail
