// Locks on files (flock(2), fcntl(2) F_SETLK …), which the filter puts to PID 1. The jail's own tmp
// has them; on anything else, which is the host's, a lock would be a channel between jails, and the
// host's own users of the file would wait for it.
//
// The kernel is never told to go on with such a call: another thread could put another file under
// the descriptor's number meanwhile. PID 1 takes the open file, looks at it, and locks that. A
// lock by flock belongs to the open file (flock(2)): it is taken on the program's own. A record
// lock belongs to the process: PID 1 opens the file once more for each process that has any, and
// takes them there, as locks of that open file (fcntl(2), "Open file description locks"). They are
// given up when the process has the file open no more, which is looked for when somebody has to
// wait.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "core/descriptor.h"
#include "core/launcher_key.h"
#include "launcher/notification.h"
#include "launcher/program_memory.h"

namespace codejail {

class Locks {
 public:
  // `proc` and `tmp` outlive it: descriptors of /proc and of the jail's writable directory. `uid`
  // is whom the jail's own files belong to. `key`: what this process's own filter knows it by.
  Locks(const Descriptor& proc, const Descriptor& tmp, uid_t uid, const LauncherKey& key)
      : proc_(proc), tmp_(tmp), memory_(proc, key.memory), uid_(uid), key_(key.locks) {}

  // Answers a call, or keeps it until it can be answered; ENOSYS where it is none that locks.
  // False, here and below, as Notification has it.
  [[nodiscard]] bool answer(const Descriptor& listener, const Notification& call);

  // Whether any call waits for a lock: then `try_again` is due every few milliseconds.
  [[nodiscard]] bool has_waiters() const { return !waiters_.empty(); }
  [[nodiscard]] bool try_again(const Descriptor& listener);

 private:
  struct Identity {
    dev_t device;
    ino_t number;
    bool operator==(const Identity& other) const {
      return device == other.device && number == other.number;
    }
  };
  // A process with record locks on one file, and where they are taken.
  struct Holder {
    pid_t process;
    std::uint64_t started;  // another process may get the same number
    Identity file;
    Descriptor descriptor;
  };
  // What a call asks for, read once.
  struct Wanted {
    int operation = 0;  // of flock, or the command of fcntl
    Descriptor file;    // of flock: the program's own open file
    pid_t process = 0;  // of a record lock, as the rest
    std::uint64_t started = 0;
    Identity identity{};
    struct flock record {};
    std::uint64_t address = 0;  // where the program has it
  };
  struct Waiter {
    Notification call;
    Wanted wanted;
  };

  // These return 0 or an errno.
  int read_flock(const Notification& call, Wanted& wanted) const;
  int read_record(const Notification& call, Wanted& wanted);
  int take(Wanted& wanted);
  int take_record(Wanted& wanted);
  int tell_record(const Notification& call, const Wanted& wanted);
  [[nodiscard]] bool is_own(int descriptor, Identity& identity) const;

  Holder* find_holder(const Wanted& wanted);
  void let_go_of_stale();
  [[nodiscard]] bool has_open(const Holder& holder) const;
  bool has_room();

  long call_flock(int descriptor, int operation) const;
  long call_fcntl(int descriptor, int command, struct flock* record) const;

  const Descriptor& proc_;
  const Descriptor& tmp_;
  ProgramMemory memory_;
  uid_t uid_;
  std::uint64_t key_;
  std::vector<Holder> holders_;
  std::vector<Waiter> waiters_;
  std::size_t record_changes_ = 0;  // since the records were counted; as many there may be more
};

}  // namespace codejail
