// Whether descriptors are left open.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "input.h"

namespace codejail_fuzz {

// The lowest number that is free (open(2)): it rises when something stays open.
inline int lowest_free() {
  const int number = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  require(number >= 0, "a descriptor can be had");
  ::close(number);
  return number;
}

}  // namespace codejail_fuzz
