#include "addon/cell_call.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "addon/report_receiver.h"
#include "core/cell.h"

namespace codejail {
namespace {

constexpr long kAtOnceNs = 1;

// Most calls are over by then, and their outputs are read when they end: a write to a pipe would
// have the server woken upon the writer's own processor (fs/pipe.c, a synchronous wake), and the
// program wait for it.
constexpr std::uint64_t kMomentMs = 3;

// What went in comes back, as a rule: half of what a pipe holds, beyond which a program waits for
// its reader.
constexpr std::size_t kLargeBytes = 32768;

}  // namespace

void announce_call(int request) {
  CallHeader head{};
  head.magic = kCallMagic;
  head.kind = CallKind::kAnnounced;
  // Only for speed. Less than that comes into no pipe (pipe(7), PIPE_BUF), and of a cell that has
  // ended its pidfd tells.
  (void)!::write(request, &head, sizeof(head));
}

void CellCall::stand_by(const Report& ready, const Descriptor& supervisor) {
  ready_ = ready;
  affinity_.take(supervisor);
}

ssize_t CellCall::begin(uv_loop_t* loop, const Descriptor& report_channel, const Start& start) {
  Order order = start.order;
  order.kind = OrderKind::kArm;
  order.main_process = ready_.main_process;
  order.spent_user_us = ready_.user_us;
  order.spent_system_us = ready_.system_us;
  order.inherited_bytes = ready_.peak_sum_bytes;
  // Before the frame: a cell's end may come at once, and its supervisor then looks for this.
  if (!send_order(report_channel, order)) {
    return -1;
  }
  ssize_t written = 0;
  do {
    written = ::write(start.request, start.frame, start.size);
  } while (written < 0 && errno == EINTR);
  if (written < 0 && errno != EAGAIN) {
    // EPIPE: its main process is dead, and nobody has read a byte of the call.
    return -1;
  }
  has_begun_ = true;
  if (start.size > kLargeBytes) {
    outputs_.read_as_it_comes();
  } else {
    outputs_.read_at_end();
    if (start.is_alone) {
      affinity_.keep_apart();
    }
    moment_.start(loop, kMomentMs, [this] {
      outputs_.read_as_it_comes();
      affinity_.restore();
    });
  }
  timerfd_.set(kFirstLookNs);
  return written < 0 ? 0 : written;
}

void CellCall::wake_supervisor() const {
  timerfd_.set(kAtOnceNs);
}

void CellCall::stop() {
  moment_.stop();
  outputs_.stop();
}

}  // namespace codejail
