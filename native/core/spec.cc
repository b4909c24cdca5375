#include "core/spec.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>

namespace codejail {
namespace {

Status broken(const char* what) {
  return Status::failure(Step::kReadSpec, EINVAL, what);
}

// Its own bytes, its path and its data lie before `end`. Written so that no sum can run over.
bool is_whole(const char* at, const char* end) {
  const auto left = static_cast<std::size_t>(end - at);
  if (left < sizeof(RecordHeader)) {
    return false;
  }
  RecordHeader header{};
  std::memcpy(&header, at, sizeof(header));
  const std::size_t for_strings = left - sizeof(RecordHeader);
  if (header.kind > kLastRecordKind || for_strings < 2 || header.path_length > for_strings - 2 ||
      header.data_length > for_strings - 2 - header.path_length ||
      Spec::record_size(header) > left) {
    return false;
  }
  const char* path = at + sizeof(RecordHeader);
  const char* data = path + header.path_length + 1;
  return path[header.path_length] == '\0' && data[header.data_length] == '\0';
}

}  // namespace

Status Spec::check(const char* base, std::size_t size) {
  if (size < sizeof(SpecHeader)) {
    return broken("the spec is too short");
  }
  SpecHeader header{};
  std::memcpy(&header, base, sizeof(header));
  if (header.magic != kSpecMagic || header.version != kSpecVersion || header.size != size) {
    return broken("the spec is not of this launcher's version: rebuild the package");
  }
  const char* at = base + aligned(sizeof(SpecHeader));
  const char* const end = base + size;
  std::size_t records = 0;
  std::size_t arguments = 0;
  std::size_t variables = 0;
  bool has_boundary = header.stored_size == size - aligned(sizeof(SpecHeader));
  if (size != aligned(size) || size < aligned(sizeof(SpecHeader))) {
    return broken("the spec's end is not aligned");
  }
  while (at < end) {
    if (++records > kMostRecords) {
      return broken("the spec has too many records");
    }
    if (!is_whole(at, end)) {
      return broken("a record of the spec is broken");
    }
    const Record record = read(at);
    has_boundary |=
        static_cast<std::size_t>(at - base) - aligned(sizeof(SpecHeader)) == header.stored_size;
    arguments += record.header->kind == RecordKind::kArgument ? 1 : 0;
    variables += record.header->kind == RecordKind::kEnvironment ? 1 : 0;
    at += record_size(*record.header);
  }
  if (!has_boundary) {
    return broken("the spec's long files end within a record");
  }
  return arguments == header.argument_count && variables == header.environment_count
             ? Status::success()
             : broken("the spec's counts are not those of its records");
}

Status Spec::map(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    return Status::failure(Step::kReadSpec, errno);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) {
    return Status::failure(Step::kReadSpec, errno);
  }
  mapped_ = size;
  base_ = static_cast<const char*>(memory);
  header_ = static_cast<const SpecHeader*>(memory);
  return check(base_, size);
}

Spec::~Spec() {
  if (base_ != nullptr) {
    munmap(const_cast<char*>(base_), mapped_);
  }
}

void Spec::keep_header_only() {
  if (base_ == nullptr) {
    return;
  }
  kept_ = *header_;
  header_ = &kept_;
  munmap(const_cast<char*>(base_), mapped_);
  base_ = nullptr;
}

Record Spec::find(RecordKind kind) const {
  Record found{nullptr, nullptr, nullptr};
  (void)each([&](const Record& record) {
    if (found.header == nullptr && record.header->kind == kind) {
      found = record;
    }
    return Status::success();
  });
  return found;
}

}  // namespace codejail
