// Directories, files and words of a call, in the bytes that follow its head.
#pragma once

#include <cstddef>

#include "core/cell.h"

namespace codejail {

// The name and the content each end with a NUL, which their lengths leave out.
struct CallItem {
  const char* name;
  std::size_t name_length;
  const char* content;
  std::size_t content_length;
};

class CallParts {
 public:
  // False where the bytes are not exactly what the head promises: there are no parts then. They
  // must outlive this.
  [[nodiscard]] bool take(const CallHeader& header, const char* bytes, std::size_t size);

  // In this order; one after the other: each is found from the one before.
  [[nodiscard]] CallItem directory(std::size_t index) { return at(index); }
  [[nodiscard]] CallItem file(std::size_t index) { return at(directory_count_ + index); }
  [[nodiscard]] CallItem word(std::size_t index) {
    return at(directory_count_ + file_count_ + index);
  }
  [[nodiscard]] std::size_t directory_count() const { return directory_count_; }
  [[nodiscard]] std::size_t file_count() const { return file_count_; }
  [[nodiscard]] std::size_t word_count() const { return word_count_; }

 private:
  CallItem at(std::size_t index);

  const char* bytes_ = nullptr;
  std::size_t directory_count_ = 0;
  std::size_t file_count_ = 0;
  std::size_t word_count_ = 0;
  std::size_t next_index_ = 0;
  const char* next_ = nullptr;
};

}  // namespace codejail
