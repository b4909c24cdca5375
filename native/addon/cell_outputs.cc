#include "addon/cell_outputs.h"

#include <utility>

namespace codejail {

CellOutputs::CellOutputs(Poller& poller, const std::array<int, kOutputCount>& descriptors,
                         OnReadable on_readable)
    : poller_(poller), on_readable_(std::move(on_readable)) {
  for (std::size_t i = 0; i < kOutputCount; ++i) {
    outputs_[i].descriptor = descriptors[i];
  }
}

void CellOutputs::read_at_end() {
  Output& last = outputs_[kErrorOutput];
  last.watch.start(poller_, last.descriptor, Poller::kDisconnected,
                   [this](uv_loop_t*) { on_readable_(0, kOutputCount); });
}

void CellOutputs::read_as_it_comes() {
  for (std::size_t i = 0; i < kOutputCount; ++i) {
    if (is_open(i)) {
      outputs_[i].watch.start(poller_, outputs_[i].descriptor, Poller::kReadable,
                              [this, i](uv_loop_t*) { on_readable_(i, i + 1); });
    }
  }
}

void CellOutputs::hold_loop(bool held) {
  for (Output& output : outputs_) {
    output.watch.hold_loop(held);
  }
}

void CellOutputs::stop(std::size_t output) {
  outputs_[output].is_open = false;
  outputs_[output].watch.stop();
}

void CellOutputs::stop() {
  for (std::size_t i = 0; i < kOutputCount; ++i) {
    stop(i);
  }
}

}  // namespace codejail
