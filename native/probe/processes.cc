#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {
namespace {

// Small numbers may be processes of the jail itself.
constexpr long kFirstForeign = 64;

void count_visible() {
  DIR* proc = opendir("/proc");
  int foreign = 0;
  if (proc != nullptr) {
    while (const dirent* entry = readdir(proc)) {
      const long process = std::strtol(entry->d_name, nullptr, 10);
      foreign += process > 1 && process != getpid() ? 1 : 0;
    }
    closedir(proc);
  }
  char seen[64];
  (void)std::snprintf(seen, sizeof(seen), "%d processes", foreign);
  report("processes", "see a process outside", foreign == 0, seen, kSeeProcesses);
}

void check_namespace() {
  char own[64] = {};
  const bool known = readlink("/proc/self/ns/pid", own, sizeof(own) - 1) > 0;
  report("processes", "share the server's PID namespace",
         known && std::strcmp(own, expected("pid_namespace")) != 0, own);
  report("processes", "be without the launcher as its parent", getppid() == 1);
}

// A crash has the host run the handler that its core pattern names, as root and outside of the
// jail: a pipe's at every limit but 1, a socket's at every limit (fs/coredump.c).
void check_core_dumps() {
  const char* handler = expected("core_handler");
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);  // answered as done, where it is held
  rlimit limit{};
  const bool is_one = getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 1;
  const bool is_dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
  const bool is_run =
      std::strcmp(handler, "socket") == 0 || (std::strcmp(handler, "pipe") == 0 && !is_one);
  char seen[64];
  (void)std::snprintf(seen, sizeof(seen), "a %s, with RLIMIT_CORE at %llu",
                      *handler == '\0' ? "file" : handler,
                      static_cast<unsigned long long>(limit.rlim_cur));
  report("processes", "have the host's core dump handler run", !is_run || !is_dumpable, seen,
         kCoreHandler);
}

}  // namespace

void check_descriptors() {
  int open_descriptors = 0;
  for (int number = 3; number < 1024; ++number) {
    open_descriptors += fcntl(number, F_GETFD) >= 0 ? 1 : 0;
  }
  report("processes", "inherit a descriptor", open_descriptors == 0);
}

void check_processes() {
  if (*expected("pid_namespace") != '\0') {
    check_namespace();
  } else {
    report_refused("processes", "signal the launcher", kill(getppid(), 0));
  }
  count_visible();
  check_core_dumps();
  const auto server = static_cast<pid_t>(expected_number("server", 0));
  if (server > kFirstForeign) {
    const int result = kill(server, 0);
    report("processes", "signal the server", result != 0 && (errno == ESRCH || errno == EPERM),
           result == 0 ? "it succeeded" : std::strerror(errno));
  }
  if (std::strcmp(expected("exec"), "denied") == 0) {
    char name[] = "/proc/self/exe";
    char* const arguments[] = {name, nullptr};
    char* const environment[] = {nullptr};
    const int result = execve(name, arguments, environment);
    report("processes", "execute another program", result < 0 && errno == EACCES,
           std::strerror(errno));
  }
}

}  // namespace codejail_probe
