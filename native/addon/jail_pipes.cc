#include "addon/jail_pipes.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace codejail {
namespace {

// A program may open its streams anew by name (/dev/stdin, /proc/self/fd/1), whatever its uid: a
// pipe of root's own is closed to a leased one. By mode, since a server need not have CAP_CHOWN. A
// pipe has no name but in the /proc of a process that has it, which only who may trace that process
// can follow (fs/proc/base.c, proc_fd_access_allowed).
bool let_reopen(const ChildEnds& child) {
  constexpr mode_t kAnybody = 0666;
  return fchmod(child.standard_input.get(), kAnybody) == 0 &&
         fchmod(child.standard_output.get(), kAnybody) == 0 &&
         fchmod(child.standard_error.get(), kAnybody) == 0;
}

}  // namespace

bool make_pipe(Descriptor& read_end, Descriptor& write_end, int nonblocking_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  // Nothing else that it would change is set yet (fcntl(2)).
  return fcntl(ends[nonblocking_end], F_SETFL, O_NONBLOCK) == 0;
}

bool make_pipes(ParentEnds& parent, ChildEnds& child, bool has_result) {
  int channel[2];
  if (!make_pipe(child.standard_input, parent.standard_input, 1) ||
      !make_pipe(parent.standard_output, child.standard_output, 0) ||
      !make_pipe(parent.standard_error, child.standard_error, 0) || !let_reopen(child) ||
      (has_result && !make_pipe(parent.result, child.result, 0)) ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
    return false;
  }
  parent.report.reset(channel[0]);
  child.report.reset(channel[1]);
  return true;
}

bool make_nursery(Descriptor& server, Descriptor& child) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  server.reset(ends[0]);
  child.reset(ends[1]);
  // The event loop must not wait for a nursery.
  return fcntl(server.get(), F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace codejail
