#include "cell/call.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "core/landlock.h"
#include "core/monotonic_clock.h"
#include "core/process_memory.h"
#include "core/read_whole.h"
#include "core/resource_limits.h"
#include "core/saturating.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

constexpr int kRequest = kRequestFd;
// A cell's directory is its working directory.
constexpr char kDirectory[] = ".";
constexpr mode_t kFilling = 0755;
constexpr mode_t kReadOnlyDirectory = 0555;
constexpr mode_t kReadOnlyFile = 0444;

// `is_there` is false at the end of the stream.
Status read_part(void* target, std::size_t size, bool& is_there) {
  const ssize_t count = read_whole(kRequest, target, size);
  is_there = count == static_cast<ssize_t>(size);
  return count < 0 ? Status::failure(Step::kReadCall, errno) : Status::success();
}

Status write_file(const char* name, const char* content, std::size_t size) {
  // The runner of safeExec is there before any call: a script takes its place.
  if (unlink(name) != 0 && errno != ENOENT) {
    return Status::failure(Step::kCellFiles, errno, name);
  }
  const Descriptor file(
      open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kReadOnlyFile));
  if (!file.valid()) {
    return Status::failure(Step::kCellFiles, errno, name);
  }
  return write_whole(file.get(), content, size) ? Status::success()
                                                : Status::failure(Step::kCellFiles, errno, name);
}

std::uint64_t raised(std::uint64_t limit, std::uint64_t by) {
  return limit == kUnlimited ? kUnlimited : limit + by;
}

}  // namespace

Footprint Footprint::measure() {
  Footprint footprint;
  char text[4096];
  bool found = read_text(AT_FDCWD, "/proc/self/status", text, sizeof(text));
  if (found) {
    footprint.resident_bytes = resident_of(text, found);
    footprint.address_bytes = bytes_of(text, "\nVmSize:", found);
    footprint.data_bytes = bytes_of(text, "\nVmData:", found);
  }
  return footprint;
}

Footprint Footprint::beyond(const Footprint& bare) const {
  Footprint more;
  more.resident_bytes = saturating_difference(resident_bytes, bare.resident_bytes);
  more.address_bytes = saturating_difference(address_bytes, bare.address_bytes);
  more.data_bytes = saturating_difference(data_bytes, bare.data_bytes);
  return more;
}

void Call::Free::operator()(char* memory) const {
  std::free(memory);
}

void Call::busy_poll() {
  // As long as the server takes to check a call of the usual size; to fall asleep and be woken up
  // takes half as long.
  constexpr std::uint64_t kMomentNs = 200000;
  const std::uint64_t until = monotonic_ns() + kMomentNs;
  pollfd event{kRequest, POLLIN, 0};
  while (poll(&event, 1, 0) == 0 && monotonic_ns() < until) {
  }
}

Status Call::read(bool& is_there) {
  Status status = read_part(&header_, sizeof(header_), is_there);
  if (!status.ok() || !is_there) {
    return status;
  }
  if (header_.magic != kCallMagic) {
    return Status::failure(Step::kReadCall, EPROTO, "what came is no call");
  }
  if (header_.size > 0) {
    body_.reset(static_cast<char*>(std::malloc(header_.size)));
    if (!body_) {
      return Status::failure(Step::kReadCall, ENOMEM, "malloc");
    }
    status = read_part(body_.get(), header_.size, is_there);
    if (!status.ok() || !is_there) {
      return status;
    }
  }
  return parts_.take(header_, body_.get(), header_.size)
             ? Status::success()
             : Status::failure(Step::kReadCall, EPROTO, "the call's parts do not fit");
}

void Call::rehearse(std::uint64_t request_size) {
  header_ = {};
  header_.request_size = request_size;
}

Status Call::make_files() {
  const std::size_t directories = parts_.directory_count();
  if (directories + parts_.file_count() == 0) {
    return Status::success();
  }
  // The owner needs the bit while it fills them: nothing of a capability is left.
  if (chmod(kDirectory, kFilling) != 0) {
    return Status::failure(Step::kCellFiles, errno, "chmod");
  }
  for (std::size_t i = 0; i < directories; ++i) {
    if (mkdir(parts_.directory(i).name, kFilling) != 0) {
      return Status::failure(Step::kCellFiles, errno, "mkdir");
    }
  }
  for (std::size_t i = 0; i < parts_.file_count(); ++i) {
    const CallItem file = parts_.file(i);
    if (Status status = write_file(file.name, file.content, file.content_length); !status.ok()) {
      return status;
    }
  }
  for (std::size_t i = 0; i < directories; ++i) {
    if (chmod(parts_.directory(i).name, kReadOnlyDirectory) != 0) {
      return Status::failure(Step::kCellFiles, errno, "chmod");
    }
  }
  return chmod(kDirectory, kReadOnlyDirectory) == 0
             ? Status::success()
             : Status::failure(Step::kCellFiles, errno, "chmod");
}

Status Call::apply(const Spec& spec, const Footprint& inherited, Confined& confined) {
  if (Status status = make_files(); !status.ok()) {
    return status;
  }
  if (confined.apparmor.valid()) {
    if (Status status = seal(spec, confined); !status.ok()) {
      return status;
    }
  }
  if (Status status = restrict_with_landlock(confined.landlock); !status.ok()) {
    return status;
  }
  confined.landlock.reset();
  SpecHeader limits = spec.header();
  limits.rlimits = header_.rlimits;
  limits.rlimits[RLIMIT_AS] = raised(header_.rlimits[RLIMIT_AS], inherited.address_bytes);
  limits.rlimits[RLIMIT_DATA] = raised(header_.rlimits[RLIMIT_DATA], inherited.data_bytes);
  if (Status status = limit_tasks(limits); !status.ok()) {
    return status;
  }
  return limit_program(limits);
}

}  // namespace codejail
