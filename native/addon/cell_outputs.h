// What a cell writes, read by the event loop until the cell's end.
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "addon/watch.h"

namespace codejail {

// In the order of their numbers in JavaScript.
enum CellOutput : std::size_t { kOutput, kErrorOutput, kResult, kOutputCount };

class CellOutputs {
 public:
  // Told which outputs may have something to read, or have ended: from the first to before the
  // second number.
  using OnReadable = std::function<void(std::size_t, std::size_t)>;

  // The descriptors stay open until `stop`.
  CellOutputs(Poller& poller, const std::array<int, kOutputCount>& descriptors,
              OnReadable on_readable);

  // A call begins. All is read when its program ends, as its closed standard error tells.
  void read_at_end();
  // All is read as it comes.
  void read_as_it_comes();
  // Whether they keep the event loop alive.
  void hold_loop(bool held);
  [[nodiscard]] int descriptor(std::size_t output) const { return outputs_[output].descriptor; }
  [[nodiscard]] bool is_open(std::size_t output) const { return outputs_[output].is_open; }
  void stop(std::size_t output);
  void stop();

 private:
  struct Output {
    int descriptor = -1;
    bool is_open = true;
    Watch watch;
  };

  Poller& poller_;
  std::array<Output, kOutputCount> outputs_;
  OnReadable on_readable_;
};

}  // namespace codejail
