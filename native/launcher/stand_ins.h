// PID 1 stands in for programs that Python's own library starts where no program may be started,
// and without which it fails:
//
// - The tracker of multiprocessing's resources, a second Python, which reads from a pipe what has
// to
//   be removed at the first one's end (multiprocessing/resource_tracker.py). All of that ends with
//   the jail: so it is enough that somebody has the pipe open, and reads.
// - `ldconfig -p`, which ctypes.util.find_library reads the list of libraries from.
//
// The caller of the exec ends, as if it had been that program; no program starts.
#pragma once

#include <poll.h>

#include <cstddef>
#include <string>

#include "core/descriptor.h"
#include "core/launcher_key.h"
#include "launcher/exec_words.h"
#include "launcher/notification.h"
#include "launcher/program_memory.h"

namespace codejail {

class StandIns {
 public:
  static constexpr std::size_t kMost = 8;

  // `proc`, a descriptor of /proc, outlives it. `key`: what this process's own filter knows it by.
  StandIns(const Descriptor& proc, const LauncherKey& key)
      : proc_(proc), memory_(proc, key.memory) {}

  // To be called before an exec is refused. One that has ended need not be told.
  void look_at(const Descriptor& listener, const Notification& call);

  // Adds what is to be waited for at `events`, which has room for kMost; how many there are.
  std::size_t wait_for(pollfd* events) const;
  // Reads and writes what was waited for.
  void go_on(const pollfd* events, std::size_t count);

 private:
  struct Pipe {
    Descriptor end;
    bool is_read = false;
    std::string rest;  // what is still to be written
  };

  // A pipe of the caller's, opened anew: nobody else's flags count for it.
  [[nodiscard]] Descriptor pipe_of(const Notification& call, int number, int access) const;
  void track(const Descriptor& listener, const Notification& call, int number);
  void list_libraries(const Descriptor& listener, const Notification& call);
  // Ends it where all that it takes to stand in for it is there.
  void end_caller(const Descriptor& listener, const Notification& call, Pipe pipe);
  Pipe* unused();
  static void write_rest(Pipe& pipe);

  const Descriptor& proc_;
  ProgramMemory memory_;
  Pipe pipes_[kMost];
  std::size_t count_ = 0;  // the first so many are in use, or were
};

}  // namespace codejail
