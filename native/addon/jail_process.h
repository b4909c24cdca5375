// The jails of one JavaScript environment (the main thread's or a worker's), followed by its event
// loop: the report channel and the pidfd of each are polled, no thread waits for a child.
#pragma once

#include <napi.h>
#include <uv.h>

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "report.h"
#include "spawn.h"

namespace codejail {

class JailProcesses;

// What a finished spawn thread hands back to the event loop.
struct SpawnMailbox {
  std::mutex mutex;
  bool closed = false;
  uv_async_t* wake = nullptr;
  std::vector<std::pair<std::uint32_t, Spawned>> finished;
};

class JailProcess {
 public:
  JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report, Napi::Function on_event,
              std::uint32_t flags);
  JailProcess(const JailProcess&) = delete;
  JailProcess& operator=(const JailProcess&) = delete;
  ~JailProcess();

  void watch_report(uv_loop_t* loop);
  void spawned(uv_loop_t* loop, Spawned result);
  void ask_to_stop();
  void kill();
  // Kills and reaps without an event loop: the environment is going away.
  void end_now();

 private:
  struct Watch {
    uv_poll_t* handle = nullptr;
    void start(uv_loop_t* loop, int descriptor, void* data, uv_poll_cb callback);
    void stop();
  };

  void read_reports(uv_loop_t* loop);
  void take_report(const Report& report, Descriptor passed, uv_loop_t* loop);
  void on_process_end(uv_loop_t* loop);
  bool reap(const Descriptor& pidfd);
  void finish();
  void emit(const Napi::Object& event);
  Napi::Object describe_end(Napi::Env env);

  JailProcesses& owner_;
  const std::uint32_t id_;
  const bool launcher_makes_namespaces_;
  const bool reaper_by_uid_;
  Descriptor report_channel_;
  Descriptor first_pidfd_;   // of the process that was cloned here
  Descriptor second_pidfd_;  // of PID 1 of the jail, where the launcher made the namespaces
  Descriptor tmp_directory_;
  Lease lease_;
  Watch report_watch_;
  Watch first_watch_;
  Watch second_watch_;
  Napi::FunctionReference on_event_;
  Napi::AsyncContext context_;
  // Joined, never detached: the addon's code is unloaded with the last worker that uses it.
  std::thread spawner_;
  bool have_spawned_ = false;
  bool first_ended_ = false;
  bool second_ended_ = false;
  bool finished_ = false;
  bool kill_requested_ = false;
  bool stop_requested_ = false;
  int launcher_status_ = 0;
  bool have_end_ = false;
  Report end_{};
  Status failure_ = Status::success();
  std::string failure_detail_;

  friend class JailProcesses;
};

class JailProcesses {
 public:
  explicit JailProcesses(Napi::Env env);
  bool start();

  // spawn(spec, onEvent): {id, stdin, stdout, stderr, result}
  Napi::Value spawn(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void kill(const Napi::CallbackInfo& info);

  void remove(std::uint32_t id);
  // A uid that may still have a process is never lent again by this server.
  void set_aside(Lease lease) { set_aside_.push_back(std::move(lease)); }
  [[nodiscard]] Napi::Env env() const { return env_; }

 private:
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* data);
  void collect_spawned();
  void end_all(napi_async_cleanup_hook_handle hook);

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  uv_async_t* wake_ = nullptr;
  std::shared_ptr<SpawnMailbox> mailbox_ = std::make_shared<SpawnMailbox>();
  std::map<std::uint32_t, std::unique_ptr<JailProcess>> processes_;
  std::vector<Lease> set_aside_;
  std::uint32_t next_id_ = 1;
};

}  // namespace codejail
