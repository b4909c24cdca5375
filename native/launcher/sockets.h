// The sockets of a jail: what waits in them is the kernel's memory, up to 208 KiB by its defaults
// and as much again, also when its sender is closed, and in no sum.
#pragma once

#include <cstdint>

#include "core/descriptor.h"

namespace codejail {

class Sockets {
 public:
  // `is_apart`: the jail has a network namespace of its own.
  Sockets(std::uint64_t most, bool is_apart) : most_(most), is_apart_(is_apart) {}

  // Whether `count` more of that type (socket(2)) may be made. `proc`: a descriptor of /proc.
  bool take(const Descriptor& proc, int type, std::uint64_t count);
  // The same for the one that is made when a connection is.
  bool take_connection(const Descriptor& proc) { return take_weight(proc, 1); }

 private:
  bool take_weight(const Descriptor& proc, std::uint64_t weight);

  std::uint64_t most_;
  bool is_apart_;
  // Of those that it may have been allowed to make since they were counted.
  std::uint64_t weight_ = 0;
};

}  // namespace codejail
