// Packets with descriptors, over a pair of sockets.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "core/descriptor.h"
#include "input.h"

namespace codejail_fuzz {

constexpr std::size_t kMostSent = 40;

class Channel {
 public:
  Channel() {
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0, "there are sockets");
    receiver_.reset(ends[0]);
    sender_.reset(ends[1]);
  }

  [[nodiscard]] const codejail::Descriptor& receiver() const { return receiver_; }

  // Sends these bytes, and standard input so many times.
  void send(const void* bytes, std::size_t size, std::size_t count) const {
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
    require(sendmsg(sender_.get(), &message, MSG_NOSIGNAL) == static_cast<ssize_t>(size),
            "a packet can be sent");
  }

 private:
  codejail::Descriptor receiver_;
  codejail::Descriptor sender_;
};

}  // namespace codejail_fuzz
