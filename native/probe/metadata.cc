#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "probe/check.h"

namespace codejail_probe {
namespace {

constexpr char kThere[] = "/etc/passwd";
constexpr char kAbsent[] = "/etc/codejail-no-such-file";

// Whether an answer tells what is there from what is not.
void must_not_tell(const char* check, int there, int absent) {
  char seen[64];
  (void)std::snprintf(seen, sizeof(seen), "errno %d, and %d of what is not there", there, absent);
  report("metadata", check, there == absent && there != 0, seen);
}

template <typename Call, typename Target>
int error_of(Call call, Target target) {
  errno = 0;
  const auto result = call(target);
  return result < 0 ? errno : 0;
}

template <typename Call>
void try_path(const char* check, Call call) {
  must_not_tell(check, error_of(call, kThere), error_of(call, kAbsent));
}

void check_paths() {
  try_path("tell a file of the host by stat", [](const char* path) {
    struct stat status {};
    return stat(path, &status);
  });
  try_path("tell a file of the host by access",
           [](const char* path) { return access(path, F_OK); });
  try_path("tell a file of the host by readlink", [](const char* path) {
    char target[1];
    return readlink(path, target, sizeof(target));
  });
  try_path("tell a file of the host by statfs", [](const char* path) {
    struct statfs status {};
    return statfs(path, &status);
  });
  try_path("tell a file of the host by chdir", [](const char* path) { return chdir(path); });
  try_path("tell a file of the host by chmod", [](const char* path) { return chmod(path, 0644); });
  try_path("tell a file of the host by utimensat",
           [](const char* path) { return utimensat(AT_FDCWD, path, nullptr, 0); });
  try_path("tell a file of the host by O_PATH", [](const char* path) {
    const int file = open(path, O_PATH | O_CLOEXEC);
    if (file >= 0) {
      close(file);
    }
    return file;
  });
}

template <typename Call>
void try_process(const char* check, pid_t server, Call call) {
  // Above the most that Linux can have (proc(5), pid_max).
  constexpr pid_t kNobody = 1 << 23;
  must_not_tell(check, error_of(call, server), error_of(call, kNobody));
}

void check_processes_of_host(pid_t server) {
  try_process("tell a process of the host by kill", server,
              [](pid_t process) { return kill(process, 0); });
  try_process("tell a process of the host by getpgid", server,
              [](pid_t process) { return getpgid(process); });
  try_process("tell a process of the host by sched_getscheduler", server,
              [](pid_t process) { return sched_getscheduler(process); });
  try_process("tell a process of the host by its CPU clock", server, [](pid_t process) {
    clockid_t clock = 0;
    const int error = clock_getcpuclockid(process, &clock);
    errno = error;
    return error == 0 ? 0 : -1;
  });
  try_process("tell a process of the host by pidfd_open", server, [](pid_t process) {
    const long opened = syscall(SYS_pidfd_open, process, 0);
    if (opened >= 0) {
      close(static_cast<int>(opened));
    }
    return opened;
  });
}

// These read or change more than that a file is there.
void check_attributes() {
  char names[256];
  report("files", "list the attributes of a file of the host",
         listxattr(kThere, names, sizeof(names)) < 0);
  report("files", "remove an attribute", removexattr(kThere, "user.probe") < 0 && errno == EACCES);
  // With both ids as they are anybody may.
  report("files", "change the owner of a file of the host",
         chown(kThere, static_cast<uid_t>(-1), static_cast<gid_t>(-1)) < 0);
}

}  // namespace

void check_metadata() {
  check_paths();
  check_attributes();
  // A small number may be a process of the jail itself.
  constexpr long kFirstForeign = 64;
  const long server = expected_number("server", 0);
  if (server > kFirstForeign || *expected("pid_namespace") == '\0') {
    check_processes_of_host(static_cast<pid_t>(server));
  }
}

}  // namespace codejail_probe
