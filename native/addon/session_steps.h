// The steps of a session, as the server orders and reads them.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/cell_outputs.h"
#include "core/descriptor.h"
#include "core/report.h"

namespace codejail {

// The server's ends of the pipes that a step writes to.
class StepPipes {
 public:
  // Makes a step's pipes, and sends its order with their other ends. `request`: the server's end of
  // the pipe that the step reads from. Null with errno where that can't be done.
  static std::shared_ptr<StepPipes> make(Poller& poller, const Descriptor& channel,
                                         const Order& order, Descriptor& request,
                                         CellOutputs::OnReadable on_readable);

  StepPipes(Poller& poller, Descriptor (&ends)[kOutputCount], CellOutputs::OnReadable on_readable);

  [[nodiscard]] CellOutputs& outputs() { return outputs_; }
  // Nothing of it is read any more.
  void close(std::size_t output);

 private:
  Descriptor ends_[kOutputCount];
  CellOutputs outputs_;
};

// {type: "step", what, head, step, errno, isBranchable, report}, as lib/native/addon.ts has it.
Napi::Object step_event(Napi::Env env, const Report& report);

}  // namespace codejail
