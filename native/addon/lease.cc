#include "addon/lease.h"

#include <fcntl.h>
#include <sys/random.h>

namespace codejail {
namespace {

// One for all uids: a file for each would stay for ever, since nobody can remove one safely that
// another server is about to lock.
constexpr char kLocks[] = "uids";

// fcntl(2), "Open file description locks": the lock belongs to the open file, as flock(2)'s does,
// so that worker threads, other processes and the launcher that inherits it all count. 0, or the
// error's number.
int lock_uid(const Descriptor& file, std::uint32_t uid, short type = F_WRLCK) {
  struct flock byte {};
  byte.l_type = type;
  byte.l_whence = SEEK_SET;
  byte.l_start = static_cast<off_t>(uid);
  byte.l_len = 1;
  return fcntl(file.get(), F_OFD_SETLK, &byte) == 0 ? 0 : errno;
}

// Both or none: pools of several servers may overlap, and one's launchers would have the uids of
// another's programs.
int lock_pair(const Descriptor& file, std::uint32_t uid, std::uint32_t launcher_uid) {
  if (const int error = lock_uid(file, uid); error != 0) {
    return error;
  }
  const int error = lock_uid(file, launcher_uid);
  if (error != 0) {
    const int unlocked = lock_uid(file, uid, F_UNLCK);
    return unlocked == 0 ? error : unlocked;
  }
  return 0;
}

Status open_locks(const std::string& path, Descriptor& locks) {
  const Descriptor directory(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.valid()) {
    return Status::failure(Step::kLease, errno, "the directory of the uid leases");
  }
  locks.reset(openat(directory.get(), kLocks, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  return locks.valid() ? Status::success()
                       : Status::failure(Step::kLease, errno, "the lock file of the uid leases");
}

}  // namespace

bool uid_is_free(const std::string& directory, std::uint32_t uid) {
  Descriptor locks;
  return open_locks(directory, locks).ok() && lock_uid(locks, uid) == 0;
}

Status lease_uid(const UidRange& range, Lease& lease) {
  Descriptor lock;
  if (Status opened = open_locks(range.directory, lock); !opened.ok()) {
    return opened;
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
    const int error = lock_pair(lock, uid, uid + range.count);
    if (error == 0) {
      lease.uid = uid;
      lease.launcher_uid = uid + range.count;
      lease.lock = std::move(lock);
      return Status::success();
    }
    if (error != EAGAIN && error != EACCES) {
      return Status::failure(Step::kLease, error, "the lock on a uid");
    }
  }
  return Status::failure(
      Step::kLease, EAGAIN,
      "every uid of the pool is in use: enlarge it by createJail({ uidPool }), or run "
      "fewer jails at a time");
}

}  // namespace codejail
