// Descriptors passed over a Unix socket, one packet a set (unix(7), SCM_RIGHTS).
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

#include "core/descriptor.h"

namespace codejail {

constexpr std::size_t kMostPassed = 16;

// Sends these bytes as one packet with these descriptors, none of them -1, in one attempt. Flags as
// of sendmsg(2). The bytes sent, -1 with errno after an error.
ssize_t send_packet(int socket, const void* bytes, std::size_t size, int flags, const int* numbers,
                    std::size_t count);

// One packet with these descriptors, none of them -1. False with errno where it could not be sent.
bool send_descriptors(int socket, const int* numbers, std::size_t count);
// Waits for a packet. The number of descriptors that came, 0 at the end of the stream, -1 with
// errno after an error, also where the packet was cut. They are close-on-exec.
int receive_descriptors(int socket, Descriptor* received, std::size_t capacity);

// What came with one packet.
struct Packet {
  // Bytes; 0 at the end of the stream, -1 with errno after an error.
  ssize_t length;
  std::size_t descriptors;
  // MSG_TRUNC, MSG_CTRUNC: some of it was cut off.
  int flags;
};
// Receives a packet into these bytes, in one attempt, and owns every descriptor that comes along:
// the first ones go to `received`, those that have no place are closed. Flags as of recvmsg(2).
Packet receive_packet(int socket, void* bytes, std::size_t size, int flags, Descriptor* received,
                      std::size_t capacity);

}  // namespace codejail
