#include "launcher/sockets.h"

#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <set>

#include "launcher/held_files.h"
#include "launcher/lines.h"

namespace codejail {
namespace {

// To one stream or pair of packets one other socket sends; to one of datagrams as many as fit into
// its queue, eleven in a namespace of its own (net/unix/af_unix.c, unix_recvq_full).
constexpr std::uint64_t kDatagramWeight = 8;

std::uint64_t weight_of(int type) {
  // SOCK_RAW is taken for SOCK_DGRAM (net/unix/af_unix.c, unix_create).
  return type == SOCK_STREAM || type == SOCK_SEQPACKET ? 1 : kDatagramWeight;
}

// The namespace's own table, where each is until its last descriptor is closed, wherever that is;
// connections too that nobody has accepted yet. In the fifth column the type. A name may have line
// breaks in it: then there seem to be more.
bool weigh_table(const Descriptor& proc, std::uint64_t& weight) {
  Lines lines(proc.get(), "self/net/unix");
  weight = 0;
  // The first one names the columns.
  (void)lines.next();
  while (const char* const line = lines.next()) {
    constexpr int kColumnsBefore = 4;
    const char* at = line;
    for (int i = 0; i < kColumnsBefore && at != nullptr; ++i) {
      at = std::strchr(at, ' ');
      at = at == nullptr ? nullptr : at + 1;
    }
    weight += weight_of(at == nullptr ? 0 : static_cast<int>(std::strtol(at, nullptr, 16)));
  }
  return !lines.failed();
}

// Without a namespace of its own the table is the host's.
bool weigh_held(const Descriptor& proc, std::uint64_t& weight) {
  std::set<std::uint64_t> sockets;
  const auto look = [&sockets](const HeldFile& file) {
    constexpr char kSocket[] = "socket:[";
    if (std::strncmp(file.link, kSocket, sizeof(kSocket) - 1) == 0) {
      sockets.insert(std::strtoull(file.link + sizeof(kSocket) - 1, nullptr, 10));
    }
  };
  if (!for_each_held_file(proc.get(), look)) {
    return false;
  }
  weight = sockets.size();
  return true;
}

}  // namespace

bool Sockets::take(const Descriptor& proc, int type, std::uint64_t count) {
  const std::uint64_t each = weight_of(type);
  // How many datagrams wait is the host's to say there.
  return (is_apart_ || each == 1) && take_weight(proc, each * count);
}

bool Sockets::take_weight(const Descriptor& proc, std::uint64_t weight) {
  if (weight_ + weight > most_) {
    std::uint64_t counted = 0;
    if (!(is_apart_ ? weigh_table(proc, counted) : weigh_held(proc, counted))) {
      return false;
    }
    weight_ = counted;
  }
  if (weight_ + weight > most_) {
    return false;
  }
  weight_ += weight;
  return true;
}

}  // namespace codejail
