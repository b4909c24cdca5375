// One jail, followed by the event loop of its JavaScript environment: its report channel and its
// pidfds are polled, no thread waits for a child.
#pragma once

#include <napi.h>
#include <uv.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "addon/cell_call.h"
#include "addon/spawn_thread.h"
#include "addon/timer.h"
#include "addon/watch.h"
#include "core/report.h"

namespace codejail {

class JailProcesses;

class JailProcess : public std::enable_shared_from_this<JailProcess> {
 public:
  // A cell has no process that is cloned here: the nursery tells of its PID 1.
  JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report, Napi::Function on_event,
              const SpawnPlan& plan, bool is_cell = false);
  JailProcess(const JailProcess&) = delete;
  JailProcess& operator=(const JailProcess&) = delete;
  ~JailProcess();

  void watch_report();
  // Starts the launcher; spawned() is called with what became of it.
  Status start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends);
  void spawned(Spawned result);
  // What a spawn thread left behind when the environment was already going away.
  void adopt(Spawned result) {
    first_pidfd_ = std::move(result.pidfd);
    cgroup_ = std::move(result.cgroup);
  }
  // Of a template: where cells are asked for.
  void keep_nursery(Descriptor nursery) { nursery_ = std::move(nursery); }
  // Of a cell: readable when it has told of its end.
  void watch_end(Descriptor end);
  // Of a cell: its keeper lives until this is closed.
  void keep_lifeline(Descriptor lifeline) { lifeline_ = std::move(lifeline); }
  // Of a cell: what comes on its outputs is told until its end; one that has ended is closed.
  void expect_call(Timerfd timerfd, const std::array<int, kOutputCount>& outputs);
  [[nodiscard]] const Descriptor& nursery() const { return nursery_; }
  // Of a cell. As CellCall::begin.
  ssize_t begin_call(uv_loop_t* loop, const CellCall::Start& start);
  void ask_to_stop();
  // Ends the jail without a report. A second call doesn't trust the launcher to do it.
  void kill();
  // Whether this jail keeps the event loop alive: not one that waits for a call.
  void hold_loop(bool held);
  // The number of PID 1 of the jail, -1 where it is not known.
  [[nodiscard]] pid_t process() const;
  // Of a cell that has told of its end: whether its PID 1 is dead as well. Then it is over.
  bool is_gone();
  // Gives back what is held of a jail that is over; nothing before.
  void let_go();
  // Kills and reaps without an event loop: the environment is going away.
  void end_now();

 private:
  void read_reports(uv_loop_t* loop);
  void take_report(const Report& report, Descriptor (&passed)[kMostReported]);
  void end_by_number(uv_loop_t* loop, pid_t child);
  void read_outputs(std::size_t first, std::size_t end);
  void on_process_end(uv_loop_t* loop);
  [[nodiscard]] bool may_have_leftovers() const;
  bool start_sweep();
  void announce_end();
  void stop_watches();
  void finish();
  void emit(const Napi::Object& event);

  JailProcesses& owner_;
  const std::uint32_t id_;
  const bool launcher_makes_namespaces_;
  const bool reaper_by_uid_;
  const bool is_cell_;
  const std::string launcher_;
  bool holds_loop_ = true;
  Descriptor report_channel_;
  Descriptor first_pidfd_;   // of the process that was cloned here
  Descriptor second_pidfd_;  // of PID 1 of the jail, where the launcher made the namespaces
  // PID 1 of the jail as long as it is not reaped, where its pidfd could not be received; else 0.
  pid_t numbered_child_ = 0;
  Descriptor tmp_directory_;
  Descriptor nursery_;
  // Of a cell.
  Descriptor end_;
  Descriptor lifeline_;
  // While they are open, the kernel keeps the filters of a cell and of its PID 1.
  Descriptor filter_listeners_[kMostReported];

  Lease lease_;
  JailCgroup cgroup_;
  Watch report_watch_;
  Watch end_watch_;
  Watch first_watch_;
  Watch second_watch_;
  Timer numbered_look_;
  std::optional<CellCall> call_;  // of a cell
  Napi::FunctionReference on_event_;
  Napi::AsyncContext context_;
  SpawnThread spawner_;
  bool have_spawned_ = false;
  bool first_ended_ = false;
  bool second_ended_ = false;
  bool sweeping_ = false;
  int sweep_status_ = -1;
  bool end_announced_ = false;
  bool finished_ = false;
  bool kill_requested_ = false;
  bool stop_requested_ = false;
  bool hung_up_ = false;
  int launcher_status_ = 0;
  bool have_end_ = false;
  Report end_report_{};
  Status failure_ = Status::success();
  std::string failure_detail_;
};

}  // namespace codejail
