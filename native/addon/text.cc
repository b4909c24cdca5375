#include "addon/text.h"

#include <algorithm>
#include <cstddef>

namespace codejail {

bool is_utf8(const char* name) {
  const auto* at = reinterpret_cast<const unsigned char*>(name);
  while (*at != 0) {
    const int length = *at < 0x80                   ? 1
                       : *at >= 0xc2 && *at <= 0xdf ? 2
                       : *at >= 0xe0 && *at <= 0xef ? 3
                       : *at >= 0xf0 && *at <= 0xf4 ? 4
                                                    : 0;
    if (length == 0) {
      return false;
    }
    for (int i = 1; i < length; ++i) {
      if ((at[i] & 0xc0U) != 0x80) {
        return false;
      }
    }
    // Overlong forms, surrogates and what lies beyond Unicode.
    if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
        (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f)) {
      return false;
    }
    at += length;
  }
  return true;
}

bool is_before(const std::string& one, const std::string& other) {
  const std::size_t length = std::min(one.size(), other.size());
  const auto [at, against] =
      std::mismatch(one.begin(), one.begin() + static_cast<long>(length), other.begin());
  if (at == one.begin() + static_cast<long>(length)) {
    return one.size() < other.size();
  }
  const auto left = static_cast<unsigned char>(*at);
  const auto right = static_cast<unsigned char>(*against);
  const bool is_left_beyond = left >= 0xf0;
  const bool is_right_beyond = right >= 0xf0;
  if (is_left_beyond != is_right_beyond && left >= 0xee && right >= 0xee) {
    return is_left_beyond;
  }
  return left < right;
}

}  // namespace codejail
