// Descriptors in a packet, as the nursery and a template receive them.
#include <cerrno>

#include "core/descriptor_message.h"
#include "open_descriptors.h"
#include "packets.h"

using namespace codejail;
using namespace codejail_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Channel channel;
  Input input(data, size);
  const std::size_t sent = input.take<std::uint8_t>() % (kMostSent + 1);
  const std::size_t capacity = input.take<std::uint8_t>() % (kMostPassed + 1);
  if (input.left() > 65536) {
    return 0;
  }
  const int free_before = lowest_free();
  channel.send(input.rest(), input.left(), sent);
  {
    Descriptor received[kMostPassed];
    const int count = receive_descriptors(channel.receiver().get(), received, capacity);
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
