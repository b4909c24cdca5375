#include "core/report_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "core/retry.h"

namespace codejail {

bool ReportChannel::send(const Report& report, int passed_descriptor) const {
  return send(report, &passed_descriptor, passed_descriptor >= 0 ? 1 : 0);
}

bool ReportChannel::send(const Report& report, const int* passed, std::size_t count) const {
  Report copy = report;
  iovec part{&copy, sizeof(copy)};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMostReported * sizeof(int))] = {};
  const std::size_t size = count * sizeof(int);
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), passed, size);
  }
  // Memory that is short for a moment must not cost the call its end.
  const ssize_t sent = retry_while_short([&] {
    // sendmsg only where it is needed: the filter refuses it, and a launcher is under its
    // program's.
    return count > 0 ? sendmsg(descriptor_, &message, MSG_NOSIGNAL)
                     : ::send(descriptor_, &copy, sizeof(copy), MSG_NOSIGNAL);
  });
  return sent == static_cast<ssize_t>(sizeof(copy));
}

bool ReportChannel::tell_failure(const Status& status) const {
  Report report{};
  report.kind = ReportKind::kFailed;
  report.step = status.step();
  report.error = status.error();
  (void)std::snprintf(report.detail, sizeof(report.detail), "%s", status.detail());
  return send(report);
}

void ReportChannel::fail(const Status& status) const {
  // Nobody is left to tell when this fails: the exit status tells that much.
  _exit(tell_failure(status) ? 1 : 2);
}

}  // namespace codejail
