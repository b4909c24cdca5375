// The least that the kernel takes for a confined call: what no cell can do without, and nothing
// else. Neither its own root nor limits, Landlock, pipes or a report; nobody waits for anybody.
//
// As a library, `confined_fork` forks a Python whose child gives up privileges and is filtered.
// As a program, it makes for each byte that it reads a PID 1 with namespaces and mounts of its own,
// that does the same and ends: the second process of each call.
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace {

constexpr unsigned kCalls = 480;
constexpr unsigned kAlike = 8;  // system calls next to each other with one answer

// A search over the numbers of system calls, as long as a cell's, that allows all.
class Filter {
 public:
  Filter() {
    add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    search(0, kCalls);
  }
  bool install() {
    sock_fprog program{static_cast<std::uint16_t>(length_), code_.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
  }

 private:
  void add(sock_filter instruction) { code_.at(length_++) = instruction; }
  void search(unsigned first, unsigned end) {
    if (end - first <= kAlike) {
      add(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
      return;
    }
    const unsigned middle = (first + end) / 2;
    const std::size_t branch = length_++;
    search(first, middle);
    const auto below = static_cast<std::uint8_t>(length_ - branch - 1);
    code_.at(branch) = BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, middle, below, 0);
    search(middle, end);
  }

  std::array<sock_filter, 256> code_{};
  std::size_t length_ = 0;
};

Filter& filter() {
  static Filter only;
  return only;
}

bool confine() {
  for (int capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0; ++capability) {
  }
  // EINVAL: there are no more.
  return errno == EINVAL && filter().install();
}

bool mount_own() {
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", MS_NOSUID, "subset=pid") == 0 &&
         mount("tmp", "/tmp", "tmpfs", MS_NOSUID, "size=0") == 0 &&
         mount("tmp", "/tmp", "tmpfs", MS_NOSUID, "size=64m") == 0;
}

pid_t fork_into(std::uint64_t namespaces) {
  clone_args arguments{};
  arguments.flags = namespaces;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

bool make_supervisor() {
  constexpr std::uint64_t kOwn =
      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
  const pid_t supervisor = fork_into(kOwn);
  if (supervisor == 0) {
    _exit(mount_own() && confine() ? 0 : 1);
  }
  return supervisor > 0;
}

}  // namespace

// As fork(2). -1 in the child where it can't be confined.
extern "C" int confined_fork() {
  // Compiled before the fork, once.
  (void)filter();
  const pid_t child = fork_into(0);
  if (child != 0) {
    return child;
  }
  // Who is not root needs a user namespace to give up anything.
  const bool may = geteuid() == 0 || unshare(CLONE_NEWUSER) == 0;
  return may && confine() ? 0 : -1;
}

int main() {
  int status = 0;
  if (!make_supervisor() || wait(&status) < 0 || status != 0) {
    std::fputs("this host does not let a process have namespaces and mounts of its own\n", stderr);
    return 1;
  }
  std::puts("ready");
  if (std::fflush(stdout) != 0 || signal(SIGCHLD, SIG_IGN) == SIG_ERR) {
    return 1;
  }
  char wanted = 0;
  while (read(STDIN_FILENO, &wanted, 1) == 1) {
    if (!make_supervisor()) {
      return 1;
    }
  }
  return 0;
}
