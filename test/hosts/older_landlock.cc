// Runs a command on a kernel with an older Landlock: `older_landlock VERSION COMMAND…`. Its
// processes are told that version, and a ruleset or flag that came later is refused as the older
// kernel refuses it (landlock(7)); 0 is a kernel where Landlock is off. By ptrace, which no filter
// of a jail's own gets in the way of.
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

// The rights of each version.
struct Rights {
  std::uint64_t handled[3];
  std::size_t size;
};

Rights rights_of(int version) {
  const unsigned files = version >= 5 ? 16 : version >= 3 ? 15 : version == 2 ? 14 : 13;
  const std::uint64_t net = version >= 4 ? 3 : 0;
  const std::uint64_t scopes = version >= 6 ? 3 : 0;
  const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  return {{(1ULL << files) - 1, net, scopes}, size};
}

/** What the older kernel answers to a ruleset, or 0 where this one may. */
int answer_to_ruleset(pid_t process, std::uint64_t address, std::size_t size, int version) {
  // landlock.c, copy_min_struct_from_user: what is unknown has to be zero.
  unsigned char bytes[64] = {};
  if (size > sizeof(bytes)) {
    return E2BIG;
  }
  const iovec own{bytes, size};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of the other process
  const iovec theirs{reinterpret_cast<void*>(address), size};
  if (process_vm_readv(process, &own, 1, &theirs, 1, 0) != static_cast<ssize_t>(size)) {
    return EFAULT;
  }
  const Rights rights = rights_of(version);
  if (size > rights.size && std::any_of(bytes + rights.size, bytes + size,
                                        [](unsigned char byte) { return byte != 0; })) {
    return E2BIG;
  }
  for (std::size_t i = 0; i < 3 && (i + 1) * 8 <= size; ++i) {
    std::uint64_t handled = 0;
    std::copy(bytes + i * 8, bytes + (i + 1) * 8, reinterpret_cast<unsigned char*>(&handled));
    if ((handled & ~rights.handled[i]) != 0) {
      return EINVAL;
    }
  }
  return 0;
}

void answer(pid_t process, int version) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, process, nullptr, &registers) != 0) {
    return;
  }
  long result = 0;
  if (version == 0) {
    result = -EOPNOTSUPP;
  } else if (registers.orig_rax == SYS_landlock_create_ruleset) {
    if (registers.rdx == LANDLOCK_CREATE_RULESET_VERSION) {
      result = version;
    } else if (registers.rdx != 0) {
      result = -EINVAL;
    } else {
      result = -answer_to_ruleset(process, registers.rdi, registers.rsi, version);
    }
  } else if (version < 7 && registers.rsi != 0) {
    // landlock_restrict_self's flags.
    result = -EINVAL;
  }
  if (result != 0) {
    // seccomp(2), SECCOMP_RET_TRACE: by a number of -1 the call is skipped.
    registers.orig_rax = static_cast<unsigned long long>(-1);
    registers.rax = static_cast<unsigned long long>(result);
    ptrace(PTRACE_SETREGS, process, nullptr, &registers);
  }
}

bool install_filter() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_restrict_self, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof(code) / sizeof(code[0]), code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ||
         (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
          prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

bool is_stopping(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/** Until all have ended; the status is that of the first. */
int serve(pid_t first, int version) {
  int outcome = 1;
  for (;;) {
    int status = 0;
    const pid_t process = waitpid(-1, &status, __WALL);
    if (process < 0) {
      if (errno == EINTR) {
        continue;
      }
      return outcome;
    }
    if (!WIFSTOPPED(status)) {
      if (process == first) {
        outcome = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      continue;
    }
    const int event = status >> 16;
    const int signal = WSTOPSIG(status);
    if (event == PTRACE_EVENT_SECCOMP) {
      answer(process, version);
    } else if (event == PTRACE_EVENT_STOP && is_stopping(signal)) {
      ptrace(PTRACE_LISTEN, process, nullptr, nullptr);
      continue;
    }
    const long passed_on = event == 0 ? signal : 0;
    ptrace(PTRACE_CONT, process, nullptr, passed_on);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int version = argc > 2 ? std::atoi(argv[1]) : -1;
  int held[2];
  if (version < 0 || pipe(held) != 0) {
    std::fputs("older_landlock VERSION COMMAND…\n", stderr);
    return 2;
  }
  const pid_t first = fork();
  if (first == 0) {
    close(held[1]);
    char byte = 0;
    // Until it is traced.
    if (read(held[0], &byte, 1) != 1 || close(held[0]) != 0 || !install_filter()) {
      std::perror("older_landlock");
      _exit(126);
    }
    execvp(argv[2], argv + 2);
    std::perror(argv[2]);
    _exit(127);
  }
  close(held[0]);
  const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                       PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  if (first < 0 || ptrace(PTRACE_SEIZE, first, nullptr, options) != 0 ||
      write(held[1], "g", 1) != 1) {
    std::perror("older_landlock");
    return 126;
  }
  close(held[1]);
  return serve(first, version);
}
