// System calls that fail for want of memory, tried again.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cerrno>

namespace codejail {

// What `call` gives: when it succeeds, fails otherwise, or memory has been short for fifty
// milliseconds. A signal only has it called again.
template <typename Call>
ssize_t retry_while_short(Call call) {
  constexpr timespec kPause{0, 2'000'000};
  constexpr int kAttempts = 25;
  for (int attempt = 1;;) {
    const ssize_t count = call();
    if (count >= 0) {
      return count;
    }
    if (errno == EINTR) {
      continue;
    }
    if ((errno != ENOBUFS && errno != ENOMEM) || attempt == kAttempts) {
      return count;
    }
    ++attempt;
    (void)nanosleep(&kPause, nullptr);
  }
}

}  // namespace codejail
