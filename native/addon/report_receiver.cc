#include "addon/report_receiver.h"

#include <cerrno>

#include "core/descriptor_message.h"

namespace codejail {

ssize_t receive_report(const Descriptor& channel, Report& report,
                       Descriptor (&passed)[kMostReported]) {
  // What comes is told once: memory that is short for a moment must not cost the call its end.
  constexpr int kAttempts = 3;
  Packet packet{};
  for (int attempt = 1;; ++attempt) {
    packet =
        receive_packet(channel.get(), &report, sizeof(report), MSG_DONTWAIT, passed, kMostReported);
    const bool is_passing = errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
    if (packet.length >= 0 || !is_passing || attempt == kAttempts) {
      break;
    }
  }
  if (packet.length > 0 && (packet.flags & MSG_CTRUNC) != 0) {
    // It has come without what it was to bring: this process may have no more descriptors.
    errno = EMFILE;
    return -1;
  }
  return packet.length;
}

bool send_order(const Descriptor& channel, const Order& order) {
  return send(channel.get(), &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof(order));
}

}  // namespace codejail
