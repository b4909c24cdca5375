#include "core/descriptor_numbers.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/descriptor.h"

namespace codejail {
namespace {

constexpr int kMost = 16;

}  // namespace

Status number_descriptors(const int* sources, int count, int inherited) {
  // First out of the way of the numbers that others get.
  Descriptor moved[kMost];
  if (count > kMost) {
    return Status::failure(Step::kStandardStreams, E2BIG);
  }
  for (int i = 0; i < count; ++i) {
    if (sources[i] >= 0) {
      moved[i].reset(fcntl(sources[i], F_DUPFD_CLOEXEC, count));
      if (!moved[i].valid()) {
        return Status::failure(Step::kStandardStreams, errno);
      }
    }
  }
  for (int i = 0; i < count; ++i) {
    if (moved[i].valid() && dup3(moved[i].get(), i, i < inherited ? 0 : O_CLOEXEC) < 0) {
      return Status::failure(Step::kStandardStreams, errno);
    }
  }
  return Status::success();
}

}  // namespace codejail
