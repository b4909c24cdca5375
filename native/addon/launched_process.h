// A jail with a launcher of its own: that of a cold call, or a template.
#pragma once

#include <memory>
#include <string>

#include "addon/jail_process.h"
#include "addon/spawn_thread.h"
#include "addon/timer.h"

namespace codejail {

class LaunchedProcess : public JailProcess {
 public:
  LaunchedProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                  Napi::Function on_event, const SpawnPlan& plan);
  ~LaunchedProcess() override;

  // Starts the launcher; spawned() is called with what became of it.
  Status start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends);
  void spawned(Spawned result);
  // What a spawn thread left behind when the environment was already going away.
  void adopt(Spawned result);
  // Of a template: where cells are asked for.
  void keep_nursery(Descriptor nursery) { nursery_ = std::move(nursery); }
  [[nodiscard]] const Descriptor& nursery() const { return nursery_; }

  // A second call doesn't trust the launcher to do it.
  void kill() override;
  void hold_loop(bool held) override;
  [[nodiscard]] pid_t process() const override;
  void end_now() override;

 private:
  [[nodiscard]] bool has(SpecFlag flag) const { return (flags_ & flag) != 0; }
  void lose_report(uv_loop_t* loop, const Report& report) override;
  void on_process_end(uv_loop_t* loop) override;
  void end_by_number(uv_loop_t* loop, pid_t child);
  [[nodiscard]] bool may_have_leftovers() const;
  bool start_sweep();
  void finish();
  void give_back();
  void announce_end();
  void stop_all();

  const std::uint32_t flags_;  // of the spec
  const std::string path_;     // of the launcher
  FollowedProcess launcher_;   // the process that was cloned here
  // PID 1 of the jail as long as it is not reaped, where its pidfd could not be received; else 0.
  pid_t numbered_child_ = 0;
  Timer numbered_look_;
  Descriptor nursery_;
  Lease lease_;
  JailCgroup cgroup_;
  int sweep_status_ = -1;
  SpawnThread spawner_;
};

}  // namespace codejail
