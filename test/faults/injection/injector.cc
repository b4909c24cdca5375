// Runs a server under ptrace(2) and makes one system call of one process of its jails fail.
//
//   injector COMMAND…   descriptor 3: a socket, on which lines are answered by lines
//
//     begin                               threads that the server starts from now on are spawn
//     threads record                              forgets what was counted counts role, call,
//     count, and how many processes had the role arm ROLE CALL OCCURRENCE ERRNO MODE one failure;
//     CALL by its number, MODE `instead` or `after` disarm                              how often
//     it came: 0 or 1 alive                               the processes that are there, without the
//     server's
//
// A process has a role by how it came to be. The server's own threads run untouched: only the
// processes of jails, and the threads that start launchers, stop at each system call.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>

#include "spec.h"

namespace {

constexpr int kControl = 3;
constexpr unsigned long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                                   PTRACE_O_EXITKILL;
constexpr std::uint64_t kNamespaces = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS;

enum class Role {
  kServer,
  kOther,  // whatever else the server runs, and programs in their jails
  kSpawnThread,
  kSpawnChild,
  kOuterLauncher,
  kLauncher,
  kSupervisor,
  kProgram,
  kTemplateLauncher,
  kTemplateSupervisor,
  kNumberSkipped,
  kNursery,
  kTemplateProgram,
  kTemplate,
  kScout,
  kSupervisorKeeper,
  kCellSupervisor,
  kCellSupervisorWatching,
  kCellKeeper,
  kBetween,
  kCell,
  kCellLimits,
  kCount,
};

constexpr const char* kNames[] = {
    "server",
    "other",
    "spawn-thread",
    "spawn-child",
    "outer-launcher",
    "launcher",
    "supervisor",
    "program",
    "template-launcher",
    "template-supervisor",
    "skipped-number",
    "nursery",
    "template-program",
    "template",
    "scout",
    "supervisor-keeper",
    "cell-supervisor",
    "cell-supervisor-watching",
    "cell-keeper",
    "between",
    "cell",
    "cell-limits",
};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == static_cast<std::size_t>(Role::kCount));

const char* name_of(Role role) {
  return kNames[static_cast<std::size_t>(role)];
}

bool is_traced(Role role) {
  return role != Role::kServer && role != Role::kOther;
}

struct Process {
  Role role = Role::kOther;
  std::uint64_t clone_flags = 0;
  unsigned clones = 0;
  bool is_template = false;
  bool is_inside = false;  // syscall-entry-stop seen, exit not yet
  bool has_own_pids = false;
  bool has_received = false;
  std::uint64_t number = 0;
  int injected = 0;  // errno to answer with
  bool has_other_argument = false;
  std::uint64_t first_argument = 0;
  std::map<std::uint64_t, unsigned> counts;
};

struct Armed {
  Role role = Role::kCount;
  std::uint64_t call = 0;
  unsigned occurrence = 0;
  int error = 0;
  bool after = false;
  bool is_armed = false;
  unsigned fired = 0;
};

struct Count {
  unsigned most = 0;  // in one process
  unsigned processes = 0;
};

pid_t server = -1;
bool has_begun = false;
std::map<pid_t, Process> processes;
std::map<pid_t, bool> unknown;  // stopped before their parent's event told whose they are
std::map<std::pair<Role, std::uint64_t>, Count> recorded;
Armed armed;

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "injector: %s: %s\n", what, std::strerror(errno));
  std::exit(70);
}

void resume(pid_t tid, const Process& process, int signal = 0) {
  // ESRCH: it was killed meanwhile, and its end comes next.
  (void)ptrace(is_traced(process.role) ? PTRACE_SYSCALL : PTRACE_CONT, tid, nullptr,
               static_cast<long>(signal));
}

bool is_thread_of_server(pid_t tid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%d", server, tid);
  return access(path, F_OK) == 0;
}

void enter_role(Process& process, Role role) {
  if (process.role != role) {
    process.role = role;
    process.counts.clear();
  }
}

// What has exec'd the launcher is told apart by its spec.
void on_exec(pid_t tid, Process& process) {
  if (process.role == Role::kTemplateProgram) {
    enter_role(process, Role::kTemplate);
    return;
  }
  if (process.role != Role::kSpawnChild) {
    enter_role(process, Role::kOther);
    return;
  }
  char path[64];
  char line[64] = {};
  std::snprintf(path, sizeof(path), "/proc/%d/cmdline", tid);
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t count = file < 0 ? -1 : read(file, line, sizeof(line) - 1);
  if (file >= 0) {
    close(file);
  }
  if (count <= 0 || std::strcmp(line, "codejail-launcher") != 0) {
    enter_role(process, Role::kOther);
    return;
  }
  std::snprintf(path, sizeof(path), "/proc/%d/fd/%s", tid, line + std::strlen(line) + 1);
  const int spec = open(path, O_RDONLY | O_CLOEXEC);
  codejail::SpecHeader header{};
  if (spec < 0 || pread(spec, &header, sizeof(header), 0) != static_cast<ssize_t>(sizeof(header))) {
    die("the spec can't be read");
  }
  close(spec);
  process.is_template = (header.flags & codejail::kTemplate) != 0;
  enter_role(process, (header.flags & codejail::kLauncherMakesNamespaces) != 0
                          ? Role::kOuterLauncher
                      : process.is_template ? Role::kTemplateLauncher
                                            : Role::kLauncher);
}

Role role_of_child(Process& parent) {
  ++parent.clones;
  switch (parent.role) {
    case Role::kSpawnThread:
      return Role::kSpawnChild;
    case Role::kOuterLauncher:
      return parent.is_template ? Role::kTemplateLauncher : Role::kLauncher;
    case Role::kLauncher:
    case Role::kSupervisor:
      return Role::kProgram;
    case Role::kTemplateLauncher:
      return Role::kNursery;
    case Role::kTemplateSupervisor:
      return parent.clones == 1 || (parent.clones == 2 && !parent.has_own_pids)
                 ? Role::kNumberSkipped
                 : Role::kTemplateProgram;
    case Role::kNursery:
      return (parent.clone_flags & kNamespaces) != 0 ? Role::kCellSupervisor
                                                     : Role::kSupervisorKeeper;
    case Role::kSupervisorKeeper:
      return Role::kCellSupervisor;
    case Role::kTemplate:
      if (parent.has_own_pids) {
        parent.has_own_pids = false;
        return Role::kScout;
      }
      return parent.has_received ? Role::kCellKeeper : Role::kOther;
    case Role::kCellKeeper:
      return Role::kBetween;
    case Role::kBetween:
      return Role::kCell;
    default:
      return Role::kOther;
  }
}

void on_birth(pid_t tid, Process& parent) {
  unsigned long message = 0;
  if (ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message) != 0) {
    return;
  }
  const auto child = static_cast<pid_t>(message);
  Process process;
  process.is_template = parent.is_template;
  if (parent.role == Role::kServer && is_thread_of_server(child)) {
    process.role = has_begun ? Role::kSpawnThread : Role::kServer;
  } else if (parent.role == Role::kServer) {
    // A template's or a call's of before `begin`.
    process.role = Role::kSpawnChild;
  } else {
    process.role = role_of_child(parent);
  }
  const Process& added = processes[child] = process;
  if (unknown.erase(child) > 0) {
    resume(child, added);
  }
}

void write_registers(pid_t tid, user_regs_struct& registers) {
  (void)ptrace(PTRACE_SETREGS, tid, nullptr, &registers);
}

// The clone's flags, and what tells roles apart.
void note_call(pid_t tid, Process& process, const __ptrace_syscall_info& info) {
  const auto& [number, arguments] = info.entry;
  process.number = number;
  switch (number) {
    case SYS_clone:
      process.clone_flags = arguments[0];
      break;
    case SYS_fork:
    case SYS_vfork:
      process.clone_flags = 0;
      break;
    case SYS_clone3: {
      iovec local{&process.clone_flags, sizeof(process.clone_flags)};
      iovec remote{reinterpret_cast<void*>(arguments[0]), sizeof(process.clone_flags)};
      (void)process_vm_readv(tid, &local, 1, &remote, 1, 0);
      break;
    }
    default:
      break;
  }
}

void leave_role(Process& process) {
  // When the call that ends a part is over, so that it is counted with that part.
  if (process.number == SYS_signalfd4) {
    if (process.role == Role::kLauncher) {
      enter_role(process, Role::kSupervisor);
    } else if (process.role == Role::kTemplateLauncher) {
      process.clones = 0;
      process.has_own_pids = true;
      enter_role(process, Role::kTemplateSupervisor);
    } else if (process.role == Role::kCellSupervisor) {
      enter_role(process, Role::kCellSupervisorWatching);
    }
  }
  if (process.number == SYS_landlock_restrict_self && process.role == Role::kCell) {
    enter_role(process, Role::kCellLimits);
  }
}

void on_entry(pid_t tid, Process& process, const __ptrace_syscall_info& info) {
  note_call(tid, process, info);
  const unsigned count = ++process.counts[process.number];
  Count& all = recorded[{process.role, process.number}];
  all.most = count > all.most ? count : all.most;
  all.processes += count == 1 ? 1 : 0;
  if (!armed.is_armed || armed.role != process.role || armed.call != process.number ||
      armed.occurrence != count) {
    return;
  }
  armed.is_armed = false;
  ++armed.fired;
  process.injected = armed.error;
  if (armed.after) {
    return;
  }
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) != 0) {
    return;
  }
  // Not -1, at which a filter of the process would look too (seccomp(2)): a call that it allows,
  // and that changes nothing.
  if (process.number == SYS_read || process.number == SYS_write || process.number == SYS_brk) {
    process.has_other_argument = true;
    process.first_argument = registers.rdi;
    registers.rdi = ~0ULL;
    if (process.number == SYS_brk) {
      // Its failure is that nothing has changed, not an error number.
      process.injected = 0;
    }
  } else {
    registers.orig_rax = SYS_getpid;
  }
  write_registers(tid, registers);
}

void on_exit(pid_t tid, Process& process, const __ptrace_syscall_info& info) {
  if (process.injected != 0 || process.has_other_argument) {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) == 0) {
      if (process.has_other_argument) {
        // A system call leaves the registers of its arguments as they were.
        registers.rdi = process.first_argument;
      }
      if (process.injected != 0) {
        registers.rax = static_cast<unsigned long long>(-static_cast<long long>(process.injected));
      }
      write_registers(tid, registers);
    }
    process.injected = 0;
    process.has_other_argument = false;
    return;
  }
  if (info.exit.is_error == 0) {
    process.has_received = process.has_received || process.number == SYS_recvmsg;
    if (process.number == SYS_unshare && process.role == Role::kTemplate) {
      process.has_own_pids = true;
    }
    leave_role(process);
  }
}

void on_syscall(pid_t tid, Process& process) {
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0) {
    return;
  }
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    on_entry(tid, process, info);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    on_exit(tid, process, info);
  }
}

void on_stop(pid_t tid, int status) {
  const auto found = processes.find(tid);
  if (found == processes.end()) {
    unknown[tid] = true;
    return;
  }
  Process& process = found->second;
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      on_birth(tid, process);
      resume(tid, process);
      return;
    case PTRACE_EVENT_EXEC:
      if (process.role != Role::kServer) {
        on_exec(tid, process);
      }
      resume(tid, process);
      return;
    case PTRACE_EVENT_STOP:
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        (void)ptrace(PTRACE_LISTEN, tid, nullptr, nullptr);
        return;
      }
      resume(tid, process);
      return;
    default:
      break;
  }
  if (signal == (SIGTRAP | 0x80)) {
    on_syscall(tid, process);
    resume(tid, process);
    return;
  }
  resume(tid, process, signal);
}

// Of a process that has been there before, what it does from now on is counted.
void forget_counts() {
  for (auto& [tid, process] : processes) {
    process.counts.clear();
  }
}

Role role_by_name(const char* name) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Role::kCount); ++i) {
    if (std::strcmp(kNames[i], name) == 0) {
      return static_cast<Role>(i);
    }
  }
  return Role::kCount;
}

std::string obey(const char* line) {
  char role[32] = {};
  char mode[16] = {};
  unsigned long long call = 0;
  unsigned occurrence = 0;
  int error = 0;
  if (std::strcmp(line, "begin") == 0) {
    has_begun = true;
    return "ok";
  }
  if (std::strcmp(line, "record") == 0) {
    recorded.clear();
    forget_counts();
    return "ok";
  }
  if (std::strcmp(line, "counts") == 0) {
    std::string answer;
    for (const auto& [key, count] : recorded) {
      char entry[96];
      std::snprintf(entry, sizeof(entry), "%s%s %llu %u %u", answer.empty() ? "" : ",",
                    name_of(key.first), static_cast<unsigned long long>(key.second), count.most,
                    count.processes);
      answer += entry;
    }
    return answer;
  }
  if (std::strcmp(line, "disarm") == 0) {
    armed.is_armed = false;
    return std::to_string(armed.fired);
  }
  if (std::strcmp(line, "alive") == 0) {
    std::string answer;
    for (const auto& [tid, process] : processes) {
      if (process.role != Role::kServer) {
        answer += (answer.empty() ? "" : ",") + std::to_string(tid) + " " + name_of(process.role);
      }
    }
    return answer;
  }
  if (std::sscanf(line, "arm %31s %llu %u %d %15s", role, &call, &occurrence, &error, mode) == 5) {
    armed = Armed{};
    forget_counts();
    armed.role = role_by_name(role);
    armed.call = call;
    armed.occurrence = occurrence;
    armed.error = error;
    armed.after = std::strcmp(mode, "after") == 0;
    armed.is_armed = armed.role != Role::kCount;
    return armed.is_armed ? "ok" : "no such role";
  }
  return "not understood";
}

void obey_lines() {
  static std::string pending;
  char text[512];
  const ssize_t count = read(kControl, text, sizeof(text));
  if (count <= 0) {
    return;
  }
  pending.append(text, static_cast<std::size_t>(count));
  for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos;) {
    const std::string answer = obey(pending.substr(0, end).c_str()) + "\n";
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

pid_t start(char** command, int inherited) {
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
  if (ptrace(PTRACE_SEIZE, child, nullptr, kOptions) != 0) {
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
  server = start(argv + 1, given);
  close(given);
  close(ends[1]);
  if (ends[0] != kControl) {
    dup3(ends[0], kControl, O_CLOEXEC);
  }
  processes[server].role = Role::kServer;
  for (;;) {
    int status = 0;
    pid_t tid = 0;
    while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
      if (WIFSTOPPED(status)) {
        on_stop(tid, status);
        continue;
      }
      processes.erase(tid);
      unknown.erase(tid);
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
      obey_lines();
    }
  }
}
