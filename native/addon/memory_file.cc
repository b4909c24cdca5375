#include "memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "write_whole.h"

namespace codejail {
namespace {

Status write_all(int descriptor, const char* data, std::size_t size) {
  return write_whole(descriptor, data, size) ? Status::success()
                                             : Status::failure(Step::kSpec, errno);
}

// A memfd that nobody can change any more.
Status seal(const Descriptor& file) {
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  return fcntl(file.get(), F_ADD_SEALS, kSeals) == 0 ? Status::success()
                                                     : Status::failure(Step::kSpec, errno);
}

}  // namespace

Status make_spec(SpawnPlan& plan, Descriptor& file) {
  file.reset(memfd_create("codejail-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) {
    return Status::failure(Step::kSpec, errno);
  }
  plan.header.size = aligned(sizeof(SpecHeader)) + plan.records.size();
  const char padding[aligned(sizeof(SpecHeader)) - sizeof(SpecHeader) + 1] = {};
  Status status =
      write_all(file.get(), reinterpret_cast<const char*>(&plan.header), sizeof(SpecHeader));
  if (status.ok()) {
    status = write_all(file.get(), padding, sizeof(padding) - 1);
  }
  if (status.ok()) {
    status = write_all(file.get(), plan.records.data(), plan.records.size());
  }
  return status.ok() ? seal(file) : status;
}

Status make_request(const SpawnPlan& plan, Descriptor& file) {
  Descriptor made(memfd_create("codejail-request", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.valid()) {
    return Status::failure(Step::kSpec, errno);
  }
  Status status = write_all(made.get(), plan.request.data(), plan.request.size());
  if (status.ok()) {
    status = seal(made);
  }
  if (status.ok() && lseek(made.get(), 0, SEEK_SET) != 0) {
    status = Status::failure(Step::kSpec, errno);
  }
  file = std::move(made);
  return status;
}

}  // namespace codejail
