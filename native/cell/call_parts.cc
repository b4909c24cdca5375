#include "cell/call_parts.h"

#include <cstring>

namespace codejail {
namespace {

CallItem item_at(const char* at) {
  CallPart lengths{};
  std::memcpy(&lengths, at, sizeof(lengths));
  const char* name = at + sizeof(lengths);
  return {name, lengths.name_length, name + lengths.name_length + 1, lengths.content_length};
}

const char* end_of(const CallItem& item) {
  return item.content + item.content_length + 1;
}

// Whether a whole part stands at the beginning of `left` bytes.
bool is_whole(const char* at, std::size_t left) {
  constexpr std::size_t kNuls = 2;
  if (left < sizeof(CallPart) + kNuls) {
    return false;
  }
  CallPart lengths{};
  std::memcpy(&lengths, at, sizeof(lengths));
  const std::size_t room = left - sizeof(lengths) - kNuls;
  if (lengths.name_length > room || lengths.content_length > room - lengths.name_length) {
    return false;
  }
  const CallItem item = item_at(at);
  return item.name[item.name_length] == '\0' && item.content[item.content_length] == '\0';
}

}  // namespace

bool CallParts::take(const CallHeader& header, const char* bytes, std::size_t size) {
  *this = CallParts();
  const std::size_t count =
      std::size_t{header.directory_count} + header.file_count + header.word_count;
  const char* at = bytes;
  const char* const end = bytes + size;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_whole(at, static_cast<std::size_t>(end - at))) {
      return false;
    }
    at = end_of(item_at(at));
  }
  if (at != end) {
    return false;
  }
  bytes_ = bytes;
  directory_count_ = header.directory_count;
  file_count_ = header.file_count;
  word_count_ = header.word_count;
  return true;
}

CallItem CallParts::at(std::size_t index) {
  if (next_ == nullptr || index < next_index_) {
    next_index_ = 0;
    next_ = bytes_;
  }
  for (;;) {
    const CallItem item = item_at(next_);
    next_ = end_of(item);
    if (next_index_++ == index) {
      return item;
    }
  }
}

}  // namespace codejail
