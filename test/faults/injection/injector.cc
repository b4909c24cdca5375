// Runs a server under ptrace(2) and makes one system call of one process of its jails fail.
//
//   injector COMMAND…   descriptor 3: a socket, on which lines are answered by lines
//
//     begin     threads that the server starts from now on are those which start launchers
//     record    forgets what was counted
//     counts    role, call, count, and how many processes had the role
//     arm ROLE CALL OCCURRENCE ERRNO MODE
//               one failure; CALL by its number, MODE `instead` or `after`
//     disarm    how often it came: 0 or 1
//     alive     the processes that are there, without the server's
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tracees.h"

namespace {

using faults::Fault;
using faults::Role;
using faults::Tracees;

constexpr int kControl = 3;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "injector: %s: %s\n", what, std::strerror(errno));
  std::exit(70);
}

std::string obey(Tracees& tracees, const char* line) {
  if (std::strcmp(line, "begin") == 0) {
    tracees.begin();
    return "ok";
  }
  if (std::strcmp(line, "record") == 0) {
    tracees.record();
    return "ok";
  }
  if (std::strcmp(line, "counts") == 0) {
    return tracees.counts();
  }
  if (std::strcmp(line, "disarm") == 0) {
    return std::to_string(tracees.disarm());
  }
  if (std::strcmp(line, "alive") == 0) {
    return tracees.alive();
  }
  char role[32] = {};
  char mode[16] = {};
  unsigned long long call = 0;
  Fault fault;
  if (std::sscanf(line, "arm %31s %llu %u %d %15s", role, &call, &fault.occurrence, &fault.error,
                  mode) != 5) {
    return "not understood";
  }
  fault.role = faults::role_by_name(role);
  fault.call = call;
  fault.is_made = std::strcmp(mode, "after") == 0;
  if (fault.role == Role::kCount) {
    return "no such role";
  }
  tracees.arm(fault);
  return "ok";
}

void obey_lines(Tracees& tracees) {
  static std::string pending;
  char text[512];
  const ssize_t count = read(kControl, text, sizeof(text));
  if (count <= 0) {
    return;
  }
  pending.append(text, static_cast<std::size_t>(count));
  for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
    const std::string answer = obey(tracees, pending.substr(0, end).c_str()) + "\n";
    pending.erase(0, end + 1);
    for (std::size_t written = 0; written < answer.size();) {
      const ssize_t part = write(kControl, answer.data() + written, answer.size() - written);
      if (part < 0 && errno != EINTR) {
        die("the answer can't be written");
      }
      written += part > 0 ? static_cast<std::size_t>(part) : 0;
    }
  }
}

pid_t start(Tracees& tracees, char** command, int inherited) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) {
    die("pipe2");
  }
  const pid_t child = fork();
  if (child < 0) {
    die("fork");
  }
  if (child == 0) {
    char byte = 0;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
      _exit(70);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    // The server's end has the same number as this program's.
    if (dup2(inherited, kControl) != kControl) {
      _exit(70);
    }
    execvp(command[0], command);
    _exit(70);
  }
  close(ready[0]);
  if (!tracees.seize(child)) {
    die("PTRACE_SEIZE");
  }
  if (write(ready[1], "", 1) != 1) {
    die("write");
  }
  close(ready[1]);
  return child;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: injector COMMAND…\n", stderr);
    return 64;
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    die("socketpair");
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const int children = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  const int given = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
  Tracees tracees;
  const pid_t server = start(tracees, argv + 1, given);
  close(given);
  close(ends[1]);
  if (ends[0] != kControl) {
    dup3(ends[0], kControl, O_CLOEXEC);
  }
  for (;;) {
    int status = 0;
    pid_t tid = 0;
    while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
      if (WIFSTOPPED(status)) {
        tracees.on_stop(tid, status);
        continue;
      }
      tracees.on_end(tid);
      if (tid == server) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
    }
    pollfd events[2] = {{children, POLLIN, 0}, {kControl, POLLIN, 0}};
    if (poll(events, 2, -1) < 0 && errno != EINTR) {
      die("poll");
    }
    if ((events[0].revents & POLLIN) != 0) {
      signalfd_siginfo drained[16];
      (void)!read(children, drained, sizeof(drained));
    }
    if ((events[1].revents & POLLIN) != 0) {
      obey_lines(tracees);
    }
  }
}
