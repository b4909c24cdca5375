// write(2) until all is written.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace codejail {

// False where that fails: errno says why.
inline bool write_whole(int descriptor, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t count = ::write(descriptor, bytes, size);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    bytes += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace codejail
