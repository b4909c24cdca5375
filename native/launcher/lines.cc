#include "launcher/lines.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace codejail {

Lines::Lines(int directory, const char* path)
    : file_(openat(directory, path, O_RDONLY | O_CLOEXEC)), failed_(!file_.valid()) {}

const char* Lines::next() {
  while (!failed_) {
    char* const line = text_ + at_;
    if (void* const found = std::memchr(line, '\n', end_ - at_)) {
      char* const end = static_cast<char*>(found);
      *end = '\0';
      at_ = static_cast<std::size_t>(end + 1 - text_);
      return line;
    }
    if (has_ended_) {
      break;
    }
    failed_ = !read_more();
  }
  return nullptr;
}

bool Lines::read_more() {
  end_ -= at_;
  std::memmove(text_, text_ + at_, end_);
  at_ = 0;
  if (end_ == sizeof(text_)) {
    return false;
  }
  ssize_t count = 0;
  do {
    count = read(file_.get(), text_ + end_, sizeof(text_) - end_);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    return false;
  }
  has_ended_ = count == 0;
  end_ += static_cast<std::size_t>(count);
  return true;
}

}  // namespace codejail
