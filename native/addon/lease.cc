#include "lease.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

namespace codejail {

Status lease_uid(const UidRange& range, Lease& lease) {
  Descriptor directory(
      open(range.directory.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) {
    return Status::failure(Step::kLease, errno, "the directory of the uid leases");
  }
  // From a random place on, so that many servers don't all knock at the same locks first.
  std::uint32_t start = 0;
  if (getrandom(&start, sizeof(start), 0) != static_cast<ssize_t>(sizeof(start))) {
    return Status::failure(Step::kLease, errno, "getrandom");
  }
  for (std::uint32_t i = 0; i < range.count; ++i) {
    const std::uint32_t offset =
        static_cast<std::uint32_t>((std::uint64_t{start} + i) % range.count);
    const std::uint32_t uid = range.first + offset;
    const std::string name = std::to_string(uid);
    Descriptor lock(
        openat(directory.get(), name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock.valid()) {
      return Status::failure(Step::kLease, errno, "a lock file of the uid leases");
    }
    // flock(2): the lock belongs to the open file, so worker threads, other processes and the
    // launcher that inherits it all count.
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
      lease.uid = uid;
      lease.launcher_uid = uid + range.count;
      lease.lock = std::move(lock);
      return Status::success();
    }
    if (errno != EWOULDBLOCK) {
      return Status::failure(Step::kLease, errno, "flock");
    }
  }
  return Status::failure(
      Step::kLease, EAGAIN,
      "every uid of the pool is in use: enlarge it by createJail({ uidPool }), or run "
      "fewer jails at a time");
}

}  // namespace codejail
