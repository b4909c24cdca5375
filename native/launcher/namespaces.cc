#include "launcher/namespaces.h"

#include <fcntl.h>
#include <sys/types.h>

#include "core/id_map.h"
#include "core/read_whole.h"
#include "core/syscalls.h"

namespace codejail {

// A process that has exec'd has no capability in a user namespace whose maps were not there before
// the exec (capabilities(7)); so the launcher makes that namespace itself. The child is made a
// child of the server (CLONE_PARENT), which is told of it by its pidfd; this process then ends.
Status make_namespaces(const Spec& spec, const ReportChannel& channel) {
  const SpecHeader& header = spec.header();
  int mapped[2] = {-1, -1};
  if (pipe2(mapped, O_CLOEXEC) != 0) {
    return Status::failure(Step::kNamespaces, errno, "pipe2");
  }
  int pidfd = -1;
  CloneArguments arguments{};
  arguments.flags = header.namespaces | CLONE_PARENT | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  const auto child = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (child < 0) {
    return Status::failure(Step::kNamespaces, errno);
  }
  if (child > 0) {
    Report report{};
    report.kind = ReportKind::kNamespaces;
    report.main_process = child;
    if (!channel.send(report, pidfd)) {
      _exit(2);
    }
    if (header.id_map == IdMap::kSandbox) {
      channel.require(map_sandbox_id(header, child));
    }
    if (header.id_map == IdMap::kOuter) {
      channel.require(map_one_id(header, child));
    }
    // Without this byte the child ends: the server would not know of it.
    if (write(mapped[1], "", 1) != 1) {
      channel.fail(Status::failure(Step::kNamespaces, errno, "write"));
    }
    _exit(0);
  }
  ::close(mapped[1]);
  char byte = 0;
  const ssize_t count = read_whole(mapped[0], &byte, 1);
  if (count < 0) {
    return Status::failure(Step::kNamespaces, errno, "read");
  }
  if (count == 0) {
    // The other half has failed, and has told so.
    _exit(2);
  }
  ::close(mapped[0]);
  return header.id_map == IdMap::kCaller ? map_own_id(header) : Status::success();
}

}  // namespace codejail
