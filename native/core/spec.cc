#include "spec.h"

#include <sys/mman.h>
#include <sys/stat.h>

namespace codejail {

Status Spec::map(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0) {
    return Status::failure(Step::kReadSpec, errno);
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < sizeof(SpecHeader)) {
    return Status::failure(Step::kReadSpec, EINVAL, "the spec is too short");
  }
  void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (memory == MAP_FAILED) {
    return Status::failure(Step::kReadSpec, errno);
  }
  mapped_ = size;
  base_ = static_cast<const char*>(memory);
  header_ = static_cast<const SpecHeader*>(memory);
  if (header_->magic != kSpecMagic || header_->version != kSpecVersion || header_->size != size) {
    return Status::failure(Step::kReadSpec, EINVAL,
                           "the spec is not of this launcher's version: rebuild the package");
  }
  return Status::success();
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
