#include "addon/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/write_whole.h"

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

std::vector<char> spec_bytes(SpawnPlan& plan) {
  constexpr std::size_t kRecords = aligned(sizeof(SpecHeader));
  plan.header.size = kRecords + plan.records.size();
  std::vector<char> bytes(plan.header.size);
  std::memcpy(bytes.data(), &plan.header, sizeof(SpecHeader));
  std::copy(plan.records.begin(), plan.records.end(), bytes.data() + kRecords);
  return bytes;
}

Status make_spec_file(const char* bytes, std::size_t size, Descriptor& file) {
  file.reset(memfd_create("codejail-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) {
    return Status::failure(Step::kSpec, errno);
  }
  Status status = write_all(file.get(), bytes, size);
  return status.ok() ? seal(file) : status;
}

Status open_request(Descriptor& file) {
  file.reset(memfd_create("codejail-request", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return file.valid() ? Status::success() : Status::failure(Step::kSpec, errno);
}

Status finish_request(const Descriptor& file) {
  Status status = seal(file);
  if (status.ok() && lseek(file.get(), 0, SEEK_SET) != 0) {
    return Status::failure(Step::kSpec, errno);
  }
  return status;
}

Status make_request(SpawnPlan& plan, Descriptor& file) {
  if (plan.request_file.valid()) {
    file = std::move(plan.request_file);
    return Status::success();
  }
  Status status = open_request(file);
  if (status.ok()) {
    status = write_all(file.get(), plan.request.data(), plan.request.size());
  }
  return status.ok() ? finish_request(file) : status;
}

}  // namespace codejail
