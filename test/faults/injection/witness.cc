// Runs in a jail and says how it is confined, one fact a line: the same facts in each call, unless
// something of the confinement is missing.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

void say(const char* what, long result) {
  std::printf("%s: %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

long read_file(const char* path) {
  return open(path, O_RDONLY | O_CLOEXEC);
}

void say_status() {
  std::FILE* file = std::fopen("/proc/self/status", "re");
  if (file == nullptr) {
    say("/proc/self/status", -1);
    return;
  }
  constexpr const char* kFields[] = {
      "Uid:",   "Gid:",     "Groups:", "Cap",     "NoNewPrivs:", "Seccomp", "NSpid:",
      "NSsid:", "Threads:", "SigBlk:", "SigIgn:", "TracerPid:",  "Umask:"};
  char line[512];
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    for (const char* field : kFields) {
      if (std::strncmp(line, field, std::strlen(field)) == 0 &&
          std::strncmp(line, "TracerPid", 9) != 0) {
        std::fputs(line, stdout);
      }
    }
  }
  std::fclose(file);
}

void say_descriptors() {
  std::printf("descriptors:");
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) >= 0) {
      std::printf(" %d", descriptor);
    }
  }
  std::printf("\n");
}

void say_names(const char* path) {
  std::printf("%s:", path);
  dirent** names = nullptr;
  const int count = scandir(path, &names, nullptr, alphasort);
  for (int i = 0; i < count; ++i) {
    std::printf(" %s", names[i]->d_name);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    std::printf("argument %d: %s\n", i, i == 0 ? "" : argv[i]);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::strncmp(*variable, "TMPDIR=", 7) != 0 && std::strncmp(*variable, "PWD=", 4) != 0) {
      std::printf("%s\n", *variable);
    }
  }
  say_status();
  say_descriptors();
  for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
    if (resource == RLIMIT_LOCKS) {
      // By it a process says what it had used before it was the program: each another number.
      continue;
    }
    rlimit limit{};
    getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    std::printf("limit %d: %lld %lld\n", resource, static_cast<long long>(limit.rlim_cur),
                static_cast<long long>(limit.rlim_max));
  }
  utsname names{};
  uname(&names);
  std::printf("host: %s\n", names.nodename);
  say("/etc/passwd", read_file("/etc/passwd"));
  say("/etc/shadow", read_file("/etc/shadow"));
  say("/proc/1/mem", read_file("/proc/1/mem"));
  say("write /", open("/written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  say("write .", open("written", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  mkdir("tmp/folder", 0700);
  for (const char* name : {"tmp/one.txt", "tmp/folder/two.txt"}) {
    std::FILE* file = std::fopen(name, "we");
    if (file != nullptr) {
      std::fputs("content", file);
      std::fclose(file);
    }
  }
  say("AF_INET", socket(AF_INET, SOCK_STREAM, 0));
  say("AF_UNIX", socket(AF_UNIX, SOCK_STREAM, 0));
  say("AF_NETLINK", socket(AF_NETLINK, SOCK_RAW, 0));
  say("unshare", unshare(CLONE_NEWUSER));
  say("mount", mount("none", "/tmp", "tmpfs", 0, nullptr));
  say("setuid", setuid(0));
  say("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  say("bpf", syscall(SYS_bpf, 0, nullptr, 0));
  say("kill PID 1", kill(1, SIGKILL));
  char* const arguments[] = {argv[0], nullptr};
  say("exec", execve(argv[0], arguments, environ));
  say_names("/");
  say_names(".");
  say_names("/etc");
  char line[64] = {};
  const ssize_t count = read(0, line, sizeof(line) - 1);
  std::printf("input: %s\n", count < 0 ? strerrorname_np(errno) : line);
  std::fflush(stdout);
  std::fprintf(stderr, "told\n");
  return 7;
}
