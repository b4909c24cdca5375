// One jail, followed by the event loop of its JavaScript environment: its report channel and its
// pidfds are polled, no thread waits for a child.
#pragma once

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "addon/followed_process.h"
#include "addon/watch.h"
#include "core/descriptor.h"
#include "core/report.h"
#include "core/status.h"

namespace codejail {

class JailProcesses;

// What a jail with a launcher of its own and a cell have in common.
class JailProcess : public std::enable_shared_from_this<JailProcess> {
 public:
  JailProcess(const JailProcess&) = delete;
  JailProcess& operator=(const JailProcess&) = delete;
  virtual ~JailProcess() = default;

  void watch_report();
  virtual void ask_to_stop();
  // Ends the jail without a report.
  virtual void kill() = 0;
  // Whether this jail keeps the event loop alive: not one that waits for a call.
  virtual void hold_loop(bool held);
  // The number of PID 1 of the jail, -1 where it is not known.
  [[nodiscard]] virtual pid_t process() const;
  // Kills and reaps without an event loop: the environment is going away.
  virtual void end_now() = 0;

 protected:
  // In the order in which a jail goes through them.
  enum class State {
    kStarting,  // its process is not there yet
    kRunning,
    kSweeping,  // what its launcher has left is being ended
    kTold,      // JavaScript knows of its end
    kOver,      // its processes are dead
  };
  // What was asked for, each more than the one before.
  enum class Wish { kNothing, kStop, kKill, kHangUp };

  JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report, Napi::Function on_event,
              State state);

  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] JailProcesses& owner() const { return owner_; }
  void raise(Wish wish);
  void send_stop() const;

  void read_reports(uv_loop_t* loop);
  // The descriptors that came along and are not the base's are left where they are.
  virtual void take_report(const Report& report, Descriptor (&passed)[kMostReported]);
  // This one came without its descriptors, for which this process had no room.
  virtual void lose_report(uv_loop_t*, const Report&) {}
  // Nothing more is reported; what follows is told by the pidfds.
  virtual void on_silence() {}
  // A process that is followed may be dead.
  virtual void on_process_end(uv_loop_t* loop) = 0;
  // What is left in the channel, where no event loop reads it. Whether the last one came without
  // its descriptors, and is `last`.
  bool drain_reports(Report& last);

  void stop_watches();
  void fail(const Status& status, std::string detail);
  [[nodiscard]] Napi::Object end_event(Napi::Env env);
  // As JailProcesses::hand_out.
  [[nodiscard]] int hand_out_tmp_directory();
  void emit(const Napi::Object& event);

  State state_;
  Wish wish_ = Wish::kNothing;
  bool holds_loop_ = true;
  Descriptor report_channel_;
  Watch report_watch_;
  FollowedProcess supervisor_;  // PID 1 of the jail, where it was told of
  int launcher_status_ = 0;
  std::optional<Report> end_report_;

 private:
  JailProcesses& owner_;
  const std::uint32_t id_;
  Napi::FunctionReference on_event_;
  Napi::AsyncContext context_;
  Descriptor tmp_directory_;
  Status failure_ = Status::success();
  std::string failure_detail_;
};

}  // namespace codejail
