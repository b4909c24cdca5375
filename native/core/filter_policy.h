// What the seccomp filter of one process is to do.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/launcher_key.h"

namespace codejail {

// kAsk puts every execve and execveat to whoever holds the listener (seccomp_unotify(2)): a filter
// alone can't tell the program's own start from a later one. kDeny, for a process that is
// the program already, answers EACCES, or has the listener do so where one counts.
enum class ExecPolicy { kAllow, kAsk, kDeny };

// What becomes of calls that make what the kernel keeps and no limit counts: sockets, and watches
// of epoll. kAsk puts them to whoever holds the listener, and refuses to pass descriptors on, which
// could not be counted; kRefuse, where there can be no listener, refuses all of them; kAllow is for
// a supervisor.
enum class CountPolicy { kAllow, kAsk, kRefuse };

struct FilterPolicy {
  ExecPolicy exec;
  CountPolicy count;
  pid_t launcher;  // the one process of the jail whose limits and scheduling nobody may change
  LauncherKey key{};
  // Memory that is asked for in one piece and is more than this is refused by the kernel whatever
  // else there is: it is put to whoever holds the listener, for the evidence. 0: nothing is.
  std::uint64_t refused_above = 0;
  // A listener, though nothing may be asked: while it is open, the kernel keeps the filter.
  bool is_kept = false;
  // Of an explained call: what opens and makes files, runs programs and makes sockets is put to
  // whoever holds the listener, unless code in this range asks, which is the launcher's own. What a
  // program hides by such an address is not told; it is allowed or refused as ever.
  std::uint64_t own_code = 0;
  std::uint64_t own_code_end = 0;
  [[nodiscard]] bool explains() const {
    return count == CountPolicy::kAsk && own_code < own_code_end &&
           own_code >> 32U == own_code_end >> 32U;
  }
  [[nodiscard]] bool has_listener() const {
    return is_kept || exec == ExecPolicy::kAsk || count == CountPolicy::kAsk;
  }
};

}  // namespace codejail
