// The call of a cell, as the server sees it: it begins, and writes.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "addon/affinity.h"
#include "addon/cell_outputs.h"
#include "addon/timer.h"
#include "addon/timerfd.h"
#include "core/descriptor.h"
#include "core/report.h"

namespace codejail {

// Tells a waiting cell that its call is about to come. Nothing is lost where that fails.
void announce_call(int request);

class CellCall {
 public:
  struct Start {
    Order order;
    int request;  // the descriptor that the cell reads from
    const std::uint8_t* frame;
    std::size_t size;
    bool is_alone;  // no other call runs
  };

  CellCall(Poller& poller, Timerfd timerfd, const std::array<int, kOutputCount>& outputs,
           CellOutputs::OnReadable on_readable)
      : timerfd_(std::move(timerfd)), outputs_(poller, outputs, std::move(on_readable)) {}

  // The cell waits for it, as it has reported. The pidfd of its PID 1 outlives this.
  void stand_by(const Report& ready, const Descriptor& supervisor);
  // Writes as much of the frame as the pipe takes at once, and returns how much; -1 where the cell
  // is dead already, and no call has begun.
  ssize_t begin(uv_loop_t* loop, const Descriptor& report_channel, const Start& start);
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  // The supervisor looks for orders now.
  void wake_supervisor() const;
  // Nothing is read any more.
  void stop();
  [[nodiscard]] CellOutputs& outputs() { return outputs_; }

 private:
  Timerfd timerfd_;
  CellOutputs outputs_;
  Timer moment_;
  Affinity affinity_;  // of PID 1
  Report ready_{};
  bool has_begun_ = false;
};

}  // namespace codejail
