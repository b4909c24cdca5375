#include "launcher/nursery.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "core/descriptor_message.h"
#include "core/descriptor_table.h"
#include "core/id_map.h"
#include "core/report_channel.h"
#include "core/retry.h"
#include "core/syscalls.h"
#include "launcher/cell_supervisor.h"
#include "launcher/network_namespaces.h"
#include "launcher/supervisor_process.h"

namespace codejail {
namespace {

constexpr int kOrders = 3;
constexpr int kHandover = 4;

Status map_ids(const SpecHeader& header, pid_t supervisor, const Descriptor& release) {
  if (Status status = map_one_id(header, supervisor); !status.ok()) {
    return status;
  }
  return write(release.get(), "", 1) == 1 ? Status::success()
                                          : Status::failure(Step::kNursery, errno, "write");
}

struct Beginning {
  Spec& spec;
  Descriptor (&received)[kServerFds];
  Descriptor& released;
  const Descriptor& release;
  NetworkNamespaces& networks;
};

void begin_supervisor(void* data) {
  auto& [spec, received, released, release, networks] = *static_cast<Beginning*>(data);
  ::close(kOrders);
  ::close(release.get());
  become_cell_supervisor(spec, received, std::move(released), networks.forget(), kHandover);
}

Status make_cell(Descriptor (&received)[kServerFds], NetworkNamespaces& networks) {
  Spec spec;
  if (Status status = spec.map(received[kSpecFd].get()); !status.ok()) {
    return status;
  }
  const bool has_network = (spec.header().namespaces & CLONE_NEWNET) != 0;
  if (has_network) {
    if (Status status = networks.enter_unused(); !status.ok()) {
      return status;
    }
  }
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return Status::failure(Step::kNursery, errno, "pipe2");
  }
  Descriptor released(ends[0]);
  const Descriptor release(ends[1]);
  Beginning beginning{spec, received, released, release, networks};
  // A keeper costs processor time, and a cell in a hurry is for many calls at once.
  const int lifeline = spec.has(kUrgent) ? -1 : received[kLifelineFd].get();
  const std::uint64_t namespaces = spec.header().namespaces & ~std::uint64_t{CLONE_NEWNET};
  pid_t child = -1;
  Descriptor pidfd;
  if (Status status =
          start_supervisor({begin_supervisor, &beginning, namespaces, lifeline}, child, pidfd);
      !status.ok()) {
    return status;
  }
  Report report{};
  report.kind = ReportKind::kNamespaces;
  // The server must know of it before it lives: where it can't be told, the pipe's end ends the
  // child.
  const ReportChannel channel(received[kReportFd].get());
  if (!channel.send(report, pidfd.get())) {
    return Status::success();
  }
  if (const Status mapped = map_ids(spec.header(), child, release); !mapped.ok()) {
    // Before the child ends, of which the server would hear first.
    (void)channel.tell_failure(mapped);
    (void)sys_pidfd_send_signal(pidfd.get(), SIGKILL);  // ESRCH: it has ended
  }
  if (has_network) {
    networks.lend_to(std::move(pidfd));
  }
  return Status::success();
}

bool begin_nursery(int orders, int handover) {
  // SIG_IGN: reaped by the kernel, nobody here waits for a cell (wait(2), NOTES).
  // PR_SET_DUMPABLE: the files of /proc of a child that can't be dumped belong to the host's root,
  // so that its maps could not be written (proc(5)). No cell sees this process, and it has no
  // secret.
  return ::signal(SIGCHLD, SIG_IGN) != SIG_ERR && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 &&
         dup3(orders, kOrders, O_CLOEXEC) >= 0 && dup3(handover, kHandover, O_CLOEXEC) >= 0 &&
         sys_close_range(kHandover + 1, ~0U, 0) == 0;
}

[[noreturn]] void run_nursery() {
  NetworkNamespaces networks;
  for (;;) {
    Descriptor received[kServerFds];
    const int count = receive_descriptors(kOrders, received, kServerFds);
    if (count == 0) {
      _exit(0);
    }
    if (count < 0 && errno != EMFILE) {
      _exit(2);
    }
    if (count != kServerFds) {
      // The server sees the end of the cell's report channel.
      continue;
    }
    const Status made = make_cell(received, networks);
    if (!made.ok()) {
      // A server that can't be told sees the end of the channel.
      (void)ReportChannel(received[kReportFd].get()).tell_failure(made);
    }
  }
}

}  // namespace

Status start_nursery(Spec& spec, Descriptor& handover) {
  const int orders = spec.header().descriptors[kNurseryFd];
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Status::failure(Step::kNursery, errno, "socketpair");
  }
  Descriptor inside(ends[0]);
  handover.reset(ends[1]);
  const auto child = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
  if (child < 0) {
    return Status::failure(Step::kNursery, errno, "clone");
  }
  if (child == 0) {
    // All that is mapped here is mapped in each cell's PID 1 too, which takes it down when it ends.
    spec.keep_header_only();
    const bool has_begun = begin_nursery(orders, inside.get());
    const int error = has_begun ? 0 : errno;
    const int link = has_begun ? kHandover : inside.get();
    const ssize_t told =
        retry_while_short([&] { return send(link, &error, sizeof(error), MSG_NOSIGNAL); });
    // Where it can't be told, its end is.
    if (told != sizeof(error) || !has_begun) {
      _exit(2);
    }
    run_nursery();
  }
  inside.reset();
  int error = 0;
  const ssize_t count =
      retry_while_short([&] { return recv(handover.get(), &error, sizeof(error), 0); });
  if (count != sizeof(error) || error != 0) {
    return Status::failure(Step::kNursery, count < 0 ? errno : count == 0 ? EPIPE : error);
  }
  // Only the nursery reads it: its end must be seen by the server.
  return ::close(orders) == 0 ? Status::success() : Status::failure(Step::kNursery, errno, "close");
}

}  // namespace codejail
