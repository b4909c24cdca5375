// The spec, as the launcher and cells map it.
#include "core/spec.h"

#include <sys/mman.h>
#include <unistd.h>

#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

// Three quarters of the inputs get a head that fits, to come to the records.
void mend_head(char* bytes, std::size_t size, unsigned choice) {
  if (choice % 4 == 0 || size < sizeof(SpecHeader)) {
    return;
  }
  auto* header = reinterpret_cast<SpecHeader*>(bytes);
  header->magic = kSpecMagic;
  header->version = kSpecVersion;
  header->size = size;
  if (choice / 4 % 2 == 0) {
    header->stored_size = 0;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("spec", MFD_CLOEXEC);
  Input input(data, size);
  const auto choice = input.take<std::uint8_t>();
  const auto bytes = std::make_unique<std::uint64_t[]>(input.left() / 8 + 1);
  auto* text = reinterpret_cast<char*>(bytes.get());
  if (input.left() > 0) {
    std::memcpy(text, input.rest(), input.left());
  }
  mend_head(text, input.left(), choice);
  const auto length = static_cast<off_t>(input.left());
  require(ftruncate(file, 0) == 0 && ftruncate(file, length) == 0 &&
              pwrite(file, text, input.left(), 0) == length,
          "the file takes the spec");
  Spec spec;
  if (!spec.map(file).ok()) {
    return 0;
  }
  const char* const begin = reinterpret_cast<const char*>(&spec.header());
  const char* const end = begin + input.left();
  // Of a mapping, what follows the file in its last page can be read.
  const auto is_inside = [&](const char* at, std::size_t count) {
    return at >= begin && at <= end && count <= static_cast<std::size_t>(end - at);
  };
  (void)spec.each([&](const Record& record) {
    require(is_inside(reinterpret_cast<const char*>(record.header), sizeof(RecordHeader)),
            "a record's head is within the spec");
    require(is_inside(record.path, std::size_t{record.header->path_length} + 1) &&
                record.path[record.header->path_length] == '\0',
            "a record's path is within the spec, and ends");
    require(record.header->data_length < input.left() &&
                is_inside(record.data, record.header->data_length + 1) &&
                record.data[record.header->data_length] == '\0',
            "a record's data is within the spec, and ends");
    return Status::success();
  });
  for (std::uint32_t kind = 0; kind < 20; ++kind) {
    (void)spec.find(static_cast<RecordKind>(kind));
  }
  spec.keep_header_only();
  require(spec.header().magic == kSpecMagic, "the head is kept");
  return 0;
}
