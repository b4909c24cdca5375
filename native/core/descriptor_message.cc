#include "core/descriptor_message.h"

#include <cerrno>
#include <cstring>

#include "core/retry.h"

namespace codejail {
namespace {

// Owns every descriptor that came with a message; closes those that have no place. Returns how many
// have one.
std::size_t own_descriptors(msghdr& message, Descriptor* received, std::size_t capacity) {
  std::size_t taken = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t came = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < came; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof(number));
      Descriptor owned(number);
      if (taken < capacity) {
        received[taken++] = std::move(owned);
      }
    }
  }
  return taken;
}

}  // namespace

ssize_t send_packet(int socket, const void* bytes, std::size_t size, int flags, const int* numbers,
                    std::size_t count) {
  iovec part{const_cast<void*>(bytes), size};  // which sendmsg(2) does not write to
  alignas(cmsghdr) char control[CMSG_SPACE(kMostPassed * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(header), numbers, count * sizeof(int));
  return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

bool send_descriptors(int socket, const int* numbers, std::size_t count) {
  const char byte = 0;
  ssize_t sent = 0;
  do {
    sent = send_packet(socket, &byte, sizeof(byte), 0, numbers, count);
  } while (sent < 0 && errno == EINTR);
  return sent == 1;
}

Packet receive_packet(int socket, void* bytes, std::size_t size, int flags, Descriptor* received,
                      std::size_t capacity) {
  iovec part{bytes, size};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostPassed * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t length = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (length < 0) {
    return {-1, 0, 0};
  }
  // Also those of an empty packet, which is as good as the end.
  const std::size_t taken = own_descriptors(message, received, capacity);
  return {length, taken, message.msg_flags};
}

int receive_descriptors(int socket, Descriptor* received, std::size_t capacity) {
  char byte = 0;
  // Memory that is short for a moment must not end who waits here for all that is to come.
  Packet packet{};
  const ssize_t length = retry_while_short([&] {
    packet = receive_packet(socket, &byte, sizeof(byte), 0, received, capacity);
    return packet.length;
  });
  if (length < 0) {
    return -1;
  }
  if (packet.length == 0) {
    return 0;
  }
  // MSG_CTRUNC: this process has no number left for some of them.
  if ((packet.flags & (MSG_CTRUNC | MSG_TRUNC)) != 0) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(packet.descriptors);
}

}  // namespace codejail
