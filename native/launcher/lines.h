// A file of /proc, line by line: such files are longer than a page, and have no size.
#pragma once

#include <cstddef>

#include "core/descriptor.h"

namespace codejail {

// Reads lines of less than 4 KiB, in memory of its own.
class Lines {
 public:
  // Opens the file; where it can't be, there is no line, and `failed` says so.
  Lines(int directory, const char* path);

  // The next line, without its end; it is there until the next one is asked for. Null after the
  // last.
  const char* next();

  // Whether there are lines that could not be read: an error, or a line that is too long.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bool read_more();

  Descriptor file_;
  char text_[4096];
  // Of what was read, where the next line begins and where all of it ends.
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  bool has_ended_ = false;
  bool failed_ = false;
};

}  // namespace codejail
