#include "launcher/attempts.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace codejail {
namespace {

constexpr unsigned kMostTold = 256;
// Those that search a path meet many files that are not there.
constexpr unsigned kMostAbsent = 192;
constexpr std::uint64_t kPage = 4096;

// 0 where the file can be made beside what is there.
int error_of_making(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

int error_of_opening(const std::string& path, int flags) {
  struct stat status {};
  const int kept = O_ACCMODE | O_DIRECTORY | O_NOFOLLOW | O_PATH;
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (!is_there && errno == ENOENT && (flags & O_CREAT) != 0) {
    return error_of_making(path);
  }
  if (is_there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    // To open it may do something.
    return 0;
  }
  const Descriptor file(open(path.c_str(), (flags & kept) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return file.valid() ? 0 : errno;
}

int error_of_running(const std::string& path) {
  return faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

bool is_absent(int error) {
  return error == ENOENT || error == ENOTDIR;
}

}  // namespace

Attempts::Path Attempts::path_of(std::uint32_t task, int directory, std::uint64_t address) const {
  Path path;
  // No further than to the end of a page: what follows may not be there.
  while (path.given.size() < sizeof(Report::detail)) {
    char part[kPage];
    const std::uint64_t at = address + path.given.size();
    const auto size = static_cast<std::size_t>(
        std::min<std::uint64_t>(kPage - at % kPage, sizeof(Report::detail)));
    if (!memory_.read(task, at, part, size)) {
      return path;
    }
    const std::size_t length = strnlen(part, size);
    path.given.append(part, length);
    if (length < size) {
      path.is_known = true;
      break;
    }
  }
  constexpr char kSelf[] = "/proc/self/";
  char prefix[48] = "";
  std::size_t skipped = 0;
  if (path.given.compare(0, sizeof(kSelf) - 1, kSelf) == 0) {
    (void)std::snprintf(prefix, sizeof(prefix), "/proc/%u/", task);
    skipped = sizeof(kSelf) - 1;
  } else if (path.given.empty() || path.given[0] != '/') {
    if (directory == AT_FDCWD) {
      (void)std::snprintf(prefix, sizeof(prefix), "/proc/%u/cwd/", task);
    } else {
      (void)std::snprintf(prefix, sizeof(prefix), "/proc/%u/fd/%d/", task, directory);
    }
  }
  path.reached = prefix + path.given.substr(skipped);
  return path;
}

void Attempts::look(const Notification& call, int refused) {
  const std::uint32_t task = call.caller();
  const auto whole = [&](int index) { return static_cast<int>(call.argument(index)); };
  AttemptKind kind = AttemptKind::kOpen;
  Path path;
  int flags = 0;
  switch (call.number()) {
#if defined(SYS_open)
    case SYS_open:
      path = path_of(task, AT_FDCWD, call.argument(0));
      flags = whole(1);
      break;
    case SYS_creat:
      path = path_of(task, AT_FDCWD, call.argument(0));
      flags = O_CREAT | O_WRONLY;
      break;
    case SYS_mkdir:
      path = path_of(task, AT_FDCWD, call.argument(0));
      kind = AttemptKind::kMakeDirectory;
      break;
#endif
    case SYS_openat:
      path = path_of(task, whole(0), call.argument(1));
      flags = whole(2);
      break;
    case SYS_mkdirat:
      path = path_of(task, whole(0), call.argument(1));
      kind = AttemptKind::kMakeDirectory;
      break;
    case SYS_execve:
      path = path_of(task, AT_FDCWD, call.argument(0));
      kind = AttemptKind::kExec;
      break;
    case SYS_execveat:
      path = path_of(task, whole(0), call.argument(1));
      kind = AttemptKind::kExec;
      break;
    default:
      look_at_socket(call, refused);
      return;
  }
  // An empty one means the descriptor itself.
  if (!path.is_known || path.given.empty()) {
    return;
  }
  const int error = refused != 0                          ? refused
                    : kind == AttemptKind::kExec          ? error_of_running(path.reached)
                    : kind == AttemptKind::kMakeDirectory ? error_of_making(path.reached)
                                                          : error_of_opening(path.reached, flags);
  tell(kind, error, path.given);
}

void Attempts::look_at_socket(const Notification& call, int refused) {
  char what[sizeof(Report::detail)] = "";
  if (call.number() == SYS_socket || call.number() == SYS_socketpair) {
    (void)std::snprintf(what, sizeof(what), "family %d, type %d",
                        static_cast<int>(call.argument(0)),
                        static_cast<int>(call.argument(1)) & 0xf);
    tell(AttemptKind::kSocket, refused, what);
    return;
  }
  if (call.number() != SYS_connect) {
    return;
  }
  sockaddr_un address{};
  constexpr std::size_t kPathAt = offsetof(sockaddr_un, sun_path);
  const auto length = std::min<std::uint64_t>(call.argument(2), sizeof(address) - 1);
  if (length <= kPathAt || !memory_.read(call.caller(), call.argument(1), &address, length) ||
      address.sun_family != AF_UNIX || address.sun_path[0] == '\0') {
    return;
  }
  char prefix[32] = "";
  if (address.sun_path[0] != '/') {
    (void)std::snprintf(prefix, sizeof(prefix), "/proc/%u/cwd/", call.caller());
  }
  const std::string reached = std::string(prefix) + address.sun_path;
  const int error = faccessat(AT_FDCWD, reached.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
  tell(AttemptKind::kConnect, error, address.sun_path);
}

void Attempts::tell(AttemptKind kind, int error, const std::string& what) {
  if (error == 0 || told_.size() >= kMostTold || (is_absent(error) && absent_ >= kMostAbsent)) {
    return;
  }
  const auto is_new = told_.insert(std::to_string(static_cast<unsigned>(kind)) + what).second;
  if (!is_new) {
    return;
  }
  absent_ += is_absent(error) ? 1 : 0;
  Report report{};
  report.kind = ReportKind::kAttempt;
  report.attempt = kind;
  report.error = error;
  (void)std::snprintf(report.detail, sizeof(report.detail), "%s", what.c_str());
  // Where nobody can be told, the end will say so.
  (void)channel_.send(report);
}

}  // namespace codejail
