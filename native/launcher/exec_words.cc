#include "launcher/exec_words.h"

#include <sys/syscall.h>

#include <algorithm>
#include <cstring>

namespace codejail {
namespace {

// Up to a NUL or the text's end.
bool read_text(const ProgramMemory& memory, std::uint32_t task, std::uint64_t address,
               char (&text)[ExecWords::kLongest]) {
  constexpr std::uint64_t kPage = 4096;
  constexpr std::size_t kLength = ExecWords::kLongest - 1;
  std::memset(text, 0, sizeof(text));
  // What follows on the next page may be nobody's.
  const auto first =
      static_cast<std::size_t>(std::min<std::uint64_t>(kLength, kPage - address % kPage));
  if (address == 0 || !memory.read(task, address, text, first)) {
    return false;
  }
  return first == kLength || std::memchr(text, 0, first) != nullptr ||
         memory.read(task, address + first, text + first, kLength - first);
}

}  // namespace

ExecWords::ExecWords(const ProgramMemory& memory, const Notification& call) {
  const int path = call.number() == SYS_execveat ? 1 : 0;
  if (!read_text(memory, call.caller(), call.argument(path), path_)) {
    return;
  }
  for (; count_ < kMost; ++count_) {
    std::uint64_t word = 0;
    const std::uint64_t at = call.argument(path + 1) + count_ * sizeof(word);
    if (!memory.read(call.caller(), at, &word, sizeof(word)) ||
        !read_text(memory, call.caller(), word, words_[count_])) {
      return;
    }
  }
}

}  // namespace codejail
