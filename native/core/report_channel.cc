#include "core/report_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

#include "core/descriptor_message.h"
#include "core/retry.h"

namespace codejail {

bool ReportChannel::send(const Report& report, int passed_descriptor) const {
  return send(report, &passed_descriptor, passed_descriptor >= 0 ? 1 : 0);
}

bool ReportChannel::send(const Report& report, const int* passed, std::size_t count) const {
  // Memory that is short for a moment must not cost the call its end.
  const ssize_t sent = retry_while_short([&] {
    // sendmsg only where it is needed: the filter refuses it, and a launcher is under its
    // program's.
    return count > 0 ? send_packet(descriptor_, &report, sizeof(report), 0, passed, count)
                     : ::send(descriptor_, &report, sizeof(report), MSG_NOSIGNAL);
  });
  return sent == static_cast<ssize_t>(sizeof(report));
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
