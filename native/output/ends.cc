// The functions of libc's by which a Python program ends at once, becomes another program, or waits
// for a signal: what it has printed comes first. Each is in the place of libc's own.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "output/heirs.h"
#include "output/instead.h"
#include "output/pace.h"

using codejail::Pace;

CODEJAIL_INSTEAD void _exit(int status) {
  Pace::deliver_last();
  for (;;) {
    syscall(SYS_exit_group, status);
  }
}

CODEJAIL_INSTEAD int kill(pid_t process, int number) CODEJAIL_NOTHROW {
  // Not only of its own: a group, or a parent, may end this process in turn.
  Pace::deliver_last();
  return static_cast<int>(syscall(SYS_kill, process, number));
}

CODEJAIL_INSTEAD int raise(int number) CODEJAIL_NOTHROW {
  Pace::deliver_last();
  return static_cast<int>(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number));
}

CODEJAIL_INSTEAD int execve(const char* path, char* const words[],
                            char* const environment[]) CODEJAIL_NOTHROW {
  Pace::deliver_last();
  return codejail::exec_with_library(path, words, environment);
}

CODEJAIL_INSTEAD int execv(const char* path, char* const words[]) CODEJAIL_NOTHROW {
  return execve(path, words, environ);
}

CODEJAIL_INSTEAD int pause() {
  // The timer's signal would end the wait.
  Pace::deliver_last();
  Pace::rest();
  return static_cast<int>(syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0));
}

// To be called where a cell's memory is another process's from now on.
CODEJAIL_INSTEAD void codejail_renew_output() {
  Pace::renew();
}
