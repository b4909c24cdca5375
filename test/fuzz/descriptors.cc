// Descriptors in a packet, as the nursery and a template receive them.
#include <sys/socket.h>

#include <cerrno>

#include "core/descriptor_message.h"
#include "open_descriptors.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

constexpr std::size_t kMostSent = 40;

void send_packet(int socket, const void* bytes, std::size_t size, std::size_t count) {
  int numbers[kMostSent] = {};
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
  require(sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size),
          "a packet can be sent");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static int ends[2];
  static const bool has_ends = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
  require(has_ends, "there are sockets");
  Input input(data, size);
  const std::size_t sent = input.take<std::uint8_t>() % (kMostSent + 1);
  const std::size_t capacity = input.take<std::uint8_t>() % (kMostPassed + 1);
  if (input.left() > 65536) {
    return 0;
  }
  const int free_before = lowest_free();
  send_packet(ends[1], input.rest(), input.left(), sent);
  {
    Descriptor received[kMostPassed];
    const int count = receive_descriptors(ends[0], received, capacity);
    const std::size_t wanted = sent < capacity ? sent : capacity;
    if (input.left() == 0) {
      require(count == 0, "an empty packet is as good as the end");
    } else if (sent > kMostPassed || input.left() > 1) {
      require(count == -1 && errno == EMFILE, "a packet that was cut is told");
    } else {
      require(count == static_cast<int>(wanted), "as many come as were sent, and have room");
      for (std::size_t i = 0; i < wanted; ++i) {
        require((fcntl(received[i].get(), F_GETFD) & FD_CLOEXEC) != 0, "they end at an exec");
      }
    }
  }
  require(lowest_free() == free_before, "no descriptor stays open");
  return 0;
}
