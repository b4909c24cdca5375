// What the fuzzer gives, taken apart; and what must hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace codejail_fuzz {

// Ends the process, so that the fuzzer keeps what it gave.
inline void require(bool holds, const char* what) {
  if (!holds) {
    (void)std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}

  // Zeros where nothing is left.
  template <typename Value>
  Value take() {
    Value value{};
    const std::size_t size = sizeof(value) < left_ ? sizeof(value) : left_;
    if (size > 0) {
      std::memcpy(&value, at_, size);
    }
    at_ += size;
    left_ -= size;
    return value;
  }

  [[nodiscard]] const std::uint8_t* rest() const { return at_; }
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  const std::uint8_t* at_;
  std::size_t left_;
};

// A copy in memory of just that size, so that a byte read beyond it is found.
class Copy {
 public:
  Copy(const void* data, std::size_t size) : bytes_(new char[size]), size_(size) {
    if (size > 0) {
      std::memcpy(bytes_.get(), data, size);
    }
  }

  [[nodiscard]] const char* data() const { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// The same, with a NUL behind it.
class Text {
 public:
  Text(const void* data, std::size_t size) : bytes_(new char[size + 1]) {
    if (size > 0) {
      std::memcpy(bytes_.get(), data, size);
    }
    bytes_[size] = '\0';
  }

  [[nodiscard]] const char* get() const { return bytes_.get(); }

 private:
  std::unique_ptr<char[]> bytes_;
};

// Reads each byte, for AddressSanitizer to look at.
inline void read_all(const char* bytes, std::size_t size) {
  volatile char sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum = static_cast<char>(sum ^ bytes[i]);
  }
}

}  // namespace codejail_fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
