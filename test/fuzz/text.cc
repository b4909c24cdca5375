// Names of files, which a program chooses byte by byte.
#include "addon/text.h"

#include <string>
#include <vector>

#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

// By the definition (RFC 3629), not by ranges of bytes: a character has one form, its shortest.
bool decode(const std::string& text, std::u16string& units) {
  constexpr char32_t kFirstOfLength[] = {0, 0, 0x80, 0x800, 0x10000};
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    std::size_t length = 1;
    char32_t character = first;
    if (first >= 0x80) {
      length = 0;
      for (unsigned bit = 0x80; (first & bit) != 0 && length < 5; bit >>= 1U) {
        ++length;
      }
      if (length < 2 || length > 4 || at + length > text.size()) {
        return false;
      }
      character = first & (0x7fU >> length);
      for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[at + i]);
        if (next >> 6U != 2) {
          return false;
        }
        character = character << 6U | (next & 0x3fU);
      }
      if (character < kFirstOfLength[length] || character > 0x10ffff ||
          (character >= 0xd800 && character < 0xe000)) {
        return false;
      }
    }
    if (character < 0x10000) {
      units += static_cast<char16_t>(character);
    } else {
      units += static_cast<char16_t>(0xd800 + ((character - 0x10000) >> 10U));
      units += static_cast<char16_t>(0xdc00 + ((character - 0x10000) & 0x3ffU));
    }
    at += length;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Two names, with a NUL between them.
  const Text all(data, size);
  const std::string one(all.get());
  const std::string other(one.size() < size ? all.get() + one.size() + 1 : "");
  std::u16string one_units;
  std::u16string other_units;
  const Text copy(one.data(), one.size());
  const bool is_one_text = decode(one, one_units);
  require(is_utf8(copy.get()) == is_one_text, "what is UTF-8 is taken for it, and nothing else");
  if (is_one_text && decode(other, other_units)) {
    require(is_before(one, other) == (one_units < other_units), "names are in JavaScript's order");
  }
  return 0;
}
