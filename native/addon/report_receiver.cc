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
  ssize_t count = 0;
  do {
    count = recvmsg(channel.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
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
