// Descriptors passed over a Unix socket, one packet a set (unix(7), SCM_RIGHTS).
#pragma once

#include <sys/socket.h>

#include <cstddef>

#include "descriptor.h"

namespace codejail {

constexpr std::size_t kMostPassed = 16;

// One packet with these descriptors, none of them -1. False with errno where it could not be sent.
bool send_descriptors(int socket, const int* numbers, std::size_t count);
// Waits for a packet. The number of descriptors that came, 0 at the end of the stream, -1 with
// errno after an error, also where the packet was cut. They are close-on-exec.
int receive_descriptors(int socket, Descriptor* received, std::size_t capacity);
// Owns every descriptor that came with a message; closes those that have no place. Returns how many
// have one.
std::size_t own_descriptors(msghdr& message, Descriptor* received, std::size_t capacity);

}  // namespace codejail
