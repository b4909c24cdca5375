// A call's frame, as a cell reads it.
#include "cell/call_parts.h"
#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

void look_at(const CallItem& item, const Copy& body) {
  const char* const end = body.data() + body.size();
  require(item.name >= body.data() && item.name + item.name_length < end &&
              item.content >= body.data() && item.content + item.content_length < end,
          "a part is within the frame");
  require(item.name[item.name_length] == '\0' && item.content[item.content_length] == '\0',
          "a part's name and content end");
  read_all(item.name, item.name_length + 1);
  read_all(item.content, item.content_length + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  CallHeader header{};
  const auto small_counts = input.take<std::uint8_t>();
  header.directory_count = input.take<std::uint32_t>();
  header.file_count = input.take<std::uint32_t>();
  header.word_count = input.take<std::uint32_t>();
  if (small_counts % 4 != 0) {
    header.directory_count %= 3;
    header.file_count %= 3;
    header.word_count %= 3;
  }
  const Copy body(input.rest(), input.left());
  CallParts parts;
  if (!parts.take(header, body.data(), body.size())) {
    require(parts.directory_count() + parts.file_count() + parts.word_count() == 0,
            "a frame that is refused has no parts");
    return 0;
  }
  std::size_t bytes = 0;
  const auto count = [&](const CallItem& item) {
    look_at(item, body);
    bytes += sizeof(CallPart) + item.name_length + item.content_length + 2;
  };
  for (std::size_t i = 0; i < parts.directory_count(); ++i) {
    count(parts.directory(i));
  }
  for (std::size_t i = 0; i < parts.file_count(); ++i) {
    count(parts.file(i));
  }
  for (std::size_t i = 0; i < parts.word_count(); ++i) {
    count(parts.word(i));
  }
  require(bytes == body.size(), "the parts are all of the frame");
  if (parts.directory_count() > 0) {
    look_at(parts.directory(0), body);
  }
  return 0;
}
