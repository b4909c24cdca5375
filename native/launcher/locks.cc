#include "launcher/locks.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/directory.h"
#include "core/process_memory.h"
#include "launcher/process_stat.h"

namespace codejail {
namespace {

// Each takes some 200 bytes of the kernel's memory, and an open file of this process's.
constexpr std::size_t kMostRecordLocks = 4096;
constexpr std::size_t kMostHolders = 24;

constexpr int kFlockOperations = LOCK_SH | LOCK_EX | LOCK_UN | LOCK_NB;

// When it was started, in ticks since the host was: 0 where it has ended. One that nobody has
// waited for yet has no files any more.
std::uint64_t started(int proc, pid_t process) {
  ProcessStat stat{};
  return read_process_stat(proc, process, stat) && !stat.is_dead ? stat.started_ticks : 0;
}

// The number after that name at the beginning of a line; below 0 where there is none.
long long number_after(int proc, const char* path, const char* line) {
  char text[4096];
  const char* const at =
      read_text(proc, path, text, sizeof(text)) ? std::strstr(text, line) : nullptr;
  return at == nullptr ? -1 : std::strtoll(at + std::strlen(line), nullptr, 10);
}

// The process that a task is a thread of; 0 where it has ended.
pid_t process_of(int proc, std::uint32_t task) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%u/status", task);
  const long long found = number_after(proc, path, "\nTgid:");
  return found < 0 ? 0 : static_cast<pid_t>(found);
}

// Where the file begins for SEEK_CUR, which is the program's own open file's to say.
int make_absolute(int proc, std::uint32_t task, int descriptor, struct flock& record) {
  if (record.l_whence != SEEK_CUR) {
    return 0;
  }
  char path[48];
  (void)std::snprintf(path, sizeof(path), "%u/fdinfo/%d", task, descriptor);
  char text[256];
  if (!read_text(proc, path, text, sizeof(text)) || std::strncmp(text, "pos:", 4) != 0) {
    return EACCES;
  }
  off_t start = 0;
  if (__builtin_add_overflow(std::strtoll(text + 4, nullptr, 10), record.l_start, &start)) {
    return EOVERFLOW;
  }
  record.l_whence = SEEK_SET;
  record.l_start = start;
  return start < 0 ? EINVAL : 0;
}

bool is_record_command(int command) {
  return command == F_GETLK || command == F_SETLK || command == F_SETLKW;
}

}  // namespace

bool Locks::answer(const Descriptor& listener, const Notification& call) {
  const bool is_flock = call.number() == SYS_flock;
  if (!is_flock &&
      !(call.number() == SYS_fcntl && is_record_command(static_cast<int>(call.argument(1))))) {
    return call.refuse(listener, ENOSYS);
  }
  Wanted wanted;
  int error = is_flock ? read_flock(call, wanted) : read_record(call, wanted);
  if (error == 0) {
    error = wanted.operation == F_GETLK && !is_flock ? tell_record(call, wanted) : take(wanted);
  }
  const bool waits = is_flock ? (wanted.operation & LOCK_NB) == 0 : wanted.operation == F_SETLKW;
  if (error == EAGAIN && waits) {
    waiters_.push_back({call, std::move(wanted)});
    return true;
  }
  // Whoever was interrupted meanwhile asks again, and whoever was killed has no lock.
  return call.refuse(listener, error);
}

bool Locks::try_again(const Descriptor& listener) {
  std::vector<Waiter> left;
  bool is_told = true;
  for (Waiter& waiter : waiters_) {
    if (!waiter.call.is_valid(listener)) {
      // Killed, or interrupted by a signal.
      continue;
    }
    const int error = take(waiter.wanted);
    if (error == EAGAIN) {
      left.push_back(std::move(waiter));
    } else if (error == 0 && !waiter.call.is_valid(listener)) {
      // It was just interrupted, and knows of no lock.
      waiter.wanted.operation = waiter.wanted.file.valid() ? LOCK_UN : F_SETLK;
      waiter.wanted.record.l_type = F_UNLCK;
      (void)take(waiter.wanted);  // only less than there was
    } else {
      is_told = waiter.call.refuse(listener, error) && is_told;
    }
  }
  waiters_ = std::move(left);
  return is_told;
}

int Locks::read_flock(const Notification& call, Wanted& wanted) const {
  wanted.operation = static_cast<int>(call.argument(1));
  const int operation = wanted.operation & ~LOCK_NB;
  if ((wanted.operation & ~kFlockOperations) != 0 ||
      (operation != LOCK_SH && operation != LOCK_EX && operation != LOCK_UN)) {
    return EINVAL;
  }
  const pid_t process = process_of(proc_.get(), call.caller());
  const Descriptor pidfd(process > 0 ? static_cast<int>(syscall(SYS_pidfd_open, process, 0)) : -1);
  if (!pidfd.valid()) {
    return EACCES;
  }
  const auto number = static_cast<int>(call.argument(0));
  wanted.file.reset(static_cast<int>(
      syscall(SYS_pidfd_getfd, with_key(static_cast<std::uint32_t>(key_ >> 32U), pidfd.get()),
              with_key(static_cast<std::uint32_t>(key_), number), 0)));
  if (!wanted.file.valid()) {
    return errno == EBADF ? EBADF : errno == EMFILE ? ENOLCK : EACCES;
  }
  Identity identity{};
  return is_own(wanted.file.get(), identity) ? 0 : EACCES;
}

int Locks::read_record(const Notification& call, Wanted& wanted) {
  const auto descriptor = static_cast<int>(call.argument(0));
  wanted.operation = static_cast<int>(call.argument(1));
  wanted.address = call.argument(2);
  wanted.process = process_of(proc_.get(), call.caller());
  wanted.started = started(proc_.get(), wanted.process);
  char path[48];
  (void)std::snprintf(path, sizeof(path), "%u/fd/%d", call.caller(), descriptor);
  // By its name alone: nothing happens to a file that is none of the jail's.
  const Descriptor named(openat(proc_.get(), path, O_PATH | O_CLOEXEC));
  if (!named.valid()) {
    return descriptor < 0 || errno == ENOENT ? EBADF : EACCES;
  }
  if (wanted.started == 0 || !is_own(named.get(), wanted.identity)) {
    return EACCES;
  }
  if (!memory_.read(call.caller(), wanted.address, &wanted.record, sizeof(wanted.record))) {
    return EFAULT;
  }
  if (const int error = make_absolute(proc_.get(), call.caller(), descriptor, wanted.record);
      error != 0) {
    return error;
  }
  if (wanted.record.l_type == F_UNLCK && find_holder(wanted) == nullptr) {
    return 0;
  }
  if (find_holder(wanted) == nullptr) {
    if (holders_.size() >= kMostHolders) {
      let_go_of_stale();
    }
    (void)std::snprintf(path, sizeof(path), "self/fd/%d", named.get());
    Descriptor opened(openat(proc_.get(), path, O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!opened.valid() || holders_.size() >= kMostHolders) {
      return opened.valid() || errno == EMFILE ? ENOLCK : EACCES;
    }
    holders_.push_back({wanted.process, wanted.started, wanted.identity, std::move(opened)});
  }
  return 0;
}

int Locks::take(Wanted& wanted) {
  if (!wanted.file.valid()) {
    return take_record(wanted);
  }
  return call_flock(wanted.file.get(), wanted.operation | LOCK_NB) == 0 ? 0 : errno;
}

int Locks::take_record(Wanted& wanted) {
  for (int attempt = 0;; ++attempt) {
    Holder* const holder = find_holder(wanted);
    if (holder == nullptr) {
      return wanted.record.l_type == F_UNLCK ? 0 : ENOLCK;
    }
    // To unlock up to the end makes no more of them, as to unlock a part in the middle does.
    const bool makes_fewer = wanted.record.l_type == F_UNLCK && wanted.record.l_len == 0;
    if (!makes_fewer && !has_room()) {
      return ENOLCK;
    }
    struct flock record = wanted.record;
    record.l_pid = 0;
    if (call_fcntl(holder->descriptor.get(), F_OFD_SETLK, &record) == 0) {
      ++record_changes_;
      return 0;
    }
    if ((errno != EAGAIN && errno != EACCES) || attempt > 0) {
      return errno == EACCES ? EAGAIN : errno;
    }
    let_go_of_stale();
  }
}

int Locks::tell_record(const Notification& call, const Wanted& wanted) {
  if (wanted.record.l_type != F_RDLCK && wanted.record.l_type != F_WRLCK) {
    return EINVAL;
  }
  let_go_of_stale();
  struct flock record = wanted.record;
  record.l_pid = 0;
  Holder* const own = find_holder(wanted);
  if (own == nullptr) {
    return ENOLCK;
  }
  if (call_fcntl(own->descriptor.get(), F_OFD_GETLK, &record) != 0) {
    return errno;
  }
  for (const Holder& holder : holders_) {
    // Of a lock of an open file's the kernel tells no process: one of those that have any.
    if (record.l_type != F_UNLCK && holder.file == wanted.identity &&
        holder.process != wanted.process) {
      record.l_pid = holder.process;
    }
  }
  return memory_.write(call.caller(), wanted.address, &record, sizeof(record)) ? 0 : EFAULT;
}

// Its tmp is a file system of its own, or all that its uid owns is in there.
bool Locks::is_own(int descriptor, Identity& identity) const {
  struct stat file {};
  struct stat tmp {};
  if (fstat(descriptor, &file) != 0 || fstat(tmp_.get(), &tmp) != 0) {
    return false;
  }
  identity = {file.st_dev, file.st_ino};
  return (S_ISREG(file.st_mode) || S_ISDIR(file.st_mode)) && file.st_dev == tmp.st_dev &&
         file.st_uid == uid_;
}

Locks::Holder* Locks::find_holder(const Wanted& wanted) {
  for (Holder& holder : holders_) {
    if (holder.process == wanted.process && holder.started == wanted.started &&
        holder.file == wanted.identity) {
      return &holder;
    }
  }
  return nullptr;
}

void Locks::let_go_of_stale() {
  std::vector<Holder> left;
  for (Holder& holder : holders_) {
    if (has_open(holder)) {
      left.push_back(std::move(holder));
    }
  }
  holders_ = std::move(left);
}

bool Locks::has_open(const Holder& holder) const {
  if (started(proc_.get(), holder.process) != holder.started) {
    return false;
  }
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%d/fd", holder.process);
  const Directory files =
      directory_of(Descriptor(openat(proc_.get(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!files) {
    // Of one that has made itself unreadable it is not known.
    return errno == EACCES || errno == EPERM;
  }
  while (const dirent* item = readdir(files.get())) {
    struct stat file {};
    if (fstatat(dirfd(files.get()), item->d_name, &file, 0) == 0 &&
        holder.file == Identity{file.st_dev, file.st_ino}) {
      return true;
    }
  }
  return false;
}

bool Locks::has_room() {
  if (record_changes_ < kMostRecordLocks) {
    return true;
  }
  std::size_t count = 0;
  for (const Holder& holder : holders_) {
    char path[48];
    (void)std::snprintf(path, sizeof(path), "self/fdinfo/%d", holder.descriptor.get());
    const Descriptor file(openat(proc_.get(), path, O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      return false;
    }
    char text[4096];
    ssize_t length = 0;
    while ((length = read(file.get(), text, sizeof(text))) > 0) {
      for (ssize_t i = 0; i < length; ++i) {
        count += text[i] == '\n' ? 1 : 0;  // each has a line of its own
      }
    }
    if (length < 0) {
      return false;
    }
  }
  record_changes_ = count;
  return count < kMostRecordLocks;
}

long Locks::call_flock(int descriptor, int operation) const {
  return syscall(SYS_flock, with_key(static_cast<std::uint32_t>(key_ >> 32U), descriptor),
                 with_key(static_cast<std::uint32_t>(key_), operation));
}

long Locks::call_fcntl(int descriptor, int command, struct flock* record) const {
  return syscall(SYS_fcntl, with_key(static_cast<std::uint32_t>(key_ >> 32U), descriptor),
                 with_key(static_cast<std::uint32_t>(key_), command), record);
}

}  // namespace codejail
