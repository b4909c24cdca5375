// A report, as the server receives it: any packet, with any number of descriptors.
#include "core/report.h"

#include <sys/socket.h>

#include <cerrno>

#include "addon/report_receiver.h"
#include "core/descriptor_message.h"
#include "open_descriptors.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

struct Channel {
  Descriptor server;
  Descriptor jail;

  Channel() {
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "there are sockets");
    server.reset(ends[0]);
    jail.reset(ends[1]);
  }
};

void send_packet(const Descriptor& socket, const void* bytes, std::size_t size, std::size_t count) {
  int numbers[kMostPassed] = {};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(numbers))] = {};
  iovec part{const_cast<void*>(bytes), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), numbers, count * sizeof(int));
  }
  require(sendmsg(socket.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size),
          "a packet can be sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Channel channel;
  Input input(data, size);
  const std::size_t passed_count = input.take<std::uint8_t>() % (kMostPassed + 1);
  if (input.left() > 65536) {
    return 0;
  }
  const int free_before = lowest_free();
  send_packet(channel.jail, input.rest(), input.left(), passed_count);
  {
    Report report{};
    Descriptor passed;
    const ssize_t count = receive_report(channel.server, report, passed);
    // An empty one is as good as the end.
    require(count > 0 || input.left() == 0 || (count < 0 && errno == EMFILE),
            "a packet is received");
    require(count <= static_cast<ssize_t>(sizeof(report)), "no more than a report is received");
    if (count == static_cast<ssize_t>(sizeof(report))) {
      read_all(step_name(report.step), std::strlen(step_name(report.step)));
      read_all(step_syscall(report.step), std::strlen(step_syscall(report.step)));
    }
    require(passed_count > 0 || !passed.valid(), "no descriptor comes that nobody sent");
  }
  require(lowest_free() == free_before, "no descriptor stays open");
  return 0;
}
