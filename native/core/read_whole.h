// read(2) until all has come.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace codejail {

// How much has come: less than asked for at the end of the file or stream. -1 where a read fails:
// errno says why.
inline ssize_t read_whole(int descriptor, void* bytes, std::size_t size) {
  std::size_t length = 0;
  while (length < size) {
    const ssize_t count = ::read(descriptor, static_cast<char*>(bytes) + length, size - length);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return -1;
    }
    if (count == 0) {
      break;
    }
    length += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(length);
}

}  // namespace codejail
