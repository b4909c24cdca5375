#include "report_receiver.h"

#include <cerrno>

#include "descriptor_message.h"

namespace codejail {

ssize_t receive_report(const Descriptor& channel, Report& report, Descriptor& passed) {
  iovec part{&report, sizeof(report)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  // What comes is told once: memory that is short for a moment must not cost the call its end.
  constexpr int kAttempts = 3;
  ssize_t count = 0;
  for (int attempt = 1;; ++attempt) {
    count = recvmsg(channel.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const bool is_passing = errno == EINTR || errno == ENOBUFS || errno == ENOMEM;
    if (count >= 0 || !is_passing || attempt == kAttempts) {
      break;
    }
  }
  // The kernel rounds the room for one up to two. Whatever comes is owned, or would stay open.
  if (count >= 0) {
    (void)own_descriptors(message, &passed, 1);
  }
  if (count > 0 && (message.msg_flags & MSG_CTRUNC) != 0) {
    // It has come without what it was to bring: this process may have no more descriptors.
    errno = EMFILE;
    return -1;
  }
  return count;
}

bool send_order(const Descriptor& channel, const Order& order) {
  return send(channel.get(), &order, sizeof(order), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof(order));
}

}  // namespace codejail
