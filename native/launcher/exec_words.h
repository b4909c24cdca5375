// What a refused exec would have started: read from its caller's memory, which may be another one
// by the time that it is looked at. Nothing that a jail must not have may follow from it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "launcher/notification.h"
#include "launcher/program_memory.h"

namespace codejail {

class ExecWords {
 public:
  static constexpr std::size_t kMost = 24;
  static constexpr std::size_t kLongest = 160;

  // Longer words are cut. What can't be read is left out, with all that comes after it.
  ExecWords(const ProgramMemory& memory, const Notification& call);

  [[nodiscard]] const char* path() const { return path_; }
  // How many words there are, the program's own name among them.
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] const char* word(std::size_t index) const { return words_[index]; }

 private:
  char path_[kLongest] = {};
  char words_[kMost][kLongest];
  std::size_t count_ = 0;
};

}  // namespace codejail
