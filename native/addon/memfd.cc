#include "addon/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "core/write_whole.h"

namespace codejail {
namespace {

constexpr auto kRecordsAt = static_cast<off_t>(aligned(sizeof(SpecHeader)));

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

Status open_spec(Descriptor& file) {
  file.reset(memfd_create("codejail-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // The header is written when all of it is known.
  return file.valid() && lseek(file.get(), kRecordsAt, SEEK_SET) == kRecordsAt
             ? Status::success()
             : Status::failure(Step::kSpec, errno);
}

Status make_spec(SpawnPlan& plan, Descriptor& file) {
  Status status = Status::success();
  if (plan.stored_files.valid()) {
    file = std::move(plan.stored_files);
  } else {
    status = open_spec(file);
  }
  const off_t stored = status.ok() ? lseek(file.get(), 0, SEEK_CUR) : 0;
  if (status.ok() && stored < kRecordsAt) {
    status = Status::failure(Step::kSpec, errno);
  }
  if (status.ok()) {
    status = write_all(file.get(), plan.records.data(), plan.records.size());
  }
  if (status.ok()) {
    plan.header.stored_size = static_cast<std::uint64_t>(stored - kRecordsAt);
    plan.header.size = static_cast<std::uint64_t>(stored) + plan.records.size();
    const auto written = pwrite(file.get(), &plan.header, sizeof(SpecHeader), 0);
    if (written != static_cast<ssize_t>(sizeof(SpecHeader))) {
      status = Status::failure(Step::kSpec, written < 0 ? errno : ENOSPC);
    }
  }
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
