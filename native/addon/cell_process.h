// A cell: the nursery forks its PID 1 and tells of it, no process of it is cloned here.
#pragma once

#include <array>
#include <map>
#include <memory>

#include "addon/cell_call.h"
#include "addon/jail_events.h"
#include "addon/jail_process.h"
#include "addon/session_steps.h"

namespace codejail {

// The server's part of what a cell is given.
struct CellEnds {
  Timerfd timerfd;
  Descriptor end;       // readable when the cell has told of its end
  Descriptor lifeline;  // its keeper lives until this is closed
};

class CellProcess : public JailProcess {
 public:
  // What comes on its outputs is told until its end; one that has ended is closed.
  CellProcess(JailProcesses& owner, std::uint32_t id, Descriptor report, Napi::Function on_event,
              CellEnds ends, const std::array<int, kOutputCount>& outputs);
  ~CellProcess() override;

  void watch_end();
  // As CellCall::begin.
  ssize_t begin_call(uv_loop_t* loop, const CellCall::Start& start);
  // Of a session. These return false with errno where it can't be sent.
  bool prepare_step(const Order& order, Descriptor& request);
  bool tell_step(const Order& order);
  // Whether it has told of its end, and its PID 1 is dead as well. Then it is over.
  bool is_gone();
  // Gives back what is held of a cell that is over; nothing before.
  void let_go();

  void ask_to_stop() override;
  void kill() override;
  void hold_loop(bool held) override;
  void end_now() override;

 private:
  void take_report(const Report& report, Descriptor (&passed)[kMostReported]) override;
  void on_silence() override;
  void on_process_end(uv_loop_t* loop) override;
  // Reads from each that is open, and tells `on_read` how much came. False where that can't be
  // kept: the cell is killed then.
  template <typename OnRead>
  bool read_chunks(CellOutputs& outputs, std::size_t first, std::size_t end, OutputNews& news,
                   OnRead on_read);
  void read_outputs(std::size_t first, std::size_t end);
  // Whether more may be there.
  bool read_step(std::uint32_t step, std::size_t first, std::size_t end);
  void take_step_report(const Report& report);
  void announce_end();
  void finish();
  void stop_all();

  Descriptor end_;
  Descriptor lifeline_;
  // While they are open, the kernel keeps the filters of the cell and of its PID 1.
  Descriptor filter_listeners_[kMostReported];
  Watch end_watch_;
  bool is_session_ = false;
  std::map<std::uint32_t, std::shared_ptr<StepPipes>> steps_;
  CellCall call_;
};

}  // namespace codejail
