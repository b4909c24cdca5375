// The jails of one JavaScript environment (the main thread's or a worker's).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "addon/cell_process.h"
#include "addon/handed_out.h"
#include "addon/launched_process.h"
#include "addon/scratch.h"

namespace codejail {

class JailProcesses {
 public:
  explicit JailProcesses(Napi::Env env);
  // 0, or libuv's number of the error: then it is not to be used.
  int start();

  // What JavaScript calls: lib/native/addon.ts says what each of these is given, and gives.
  Napi::Value spawn(const Napi::CallbackInfo& info);
  Napi::Value seal_spec(const Napi::CallbackInfo& info);
  Napi::Value make_cell(const Napi::CallbackInfo& info);
  Napi::Value begin_call(const Napi::CallbackInfo& info);
  Napi::Value prepare_step(const Napi::CallbackInfo& info);
  Napi::Value begin_step(const Napi::CallbackInfo& info);
  Napi::Value tell_step(const Napi::CallbackInfo& info);
  void hold_loop(const Napi::CallbackInfo& info);
  Napi::Value is_gone(const Napi::CallbackInfo& info);
  void let_go(const Napi::CallbackInfo& info);
  Napi::Value process_of(const Napi::CallbackInfo& info);
  void close_descriptor(const Napi::CallbackInfo& info);
  Napi::Value read_rest(const Napi::CallbackInfo& info);
  void disown(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void kill(const Napi::CallbackInfo& info);

  void remove(std::uint32_t id);
  // A cell's call is over.
  void call_ends() { --calls_; }
  // Reads from a pipe that does not block; as read(2).
  ssize_t read_chunk(int descriptor, Napi::Buffer<char>& chunk);
  // Gives a descriptor to JavaScript as a number.
  int hand_out(Descriptor descriptor) { return handed_out_.add(std::move(descriptor)); }
  // Closes one that was handed out.
  void take_back(int descriptor) { handed_out_.close(descriptor); }
  // A uid that may still have a process is never lent again by this server.
  void set_aside(Lease lease) { set_aside_.push_back(std::move(lease)); }
  [[nodiscard]] std::shared_ptr<SpawnMailbox> mailbox() const { return mailbox_; }
  [[nodiscard]] Napi::Env env() const { return env_; }
  [[nodiscard]] Poller& poller() { return poller_; }

 private:
  // By the number that is the first argument; null where there is none.
  [[nodiscard]] std::shared_ptr<LaunchedProcess> launched(const Napi::CallbackInfo& info) const;
  [[nodiscard]] std::shared_ptr<CellProcess> cell(const Napi::CallbackInfo& info) const;
  [[nodiscard]] std::shared_ptr<JailProcess> jail(const Napi::CallbackInfo& info) const;
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* data);
  void collect_spawned();
  void end_all(napi_async_cleanup_hook_handle hook);

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  uv_async_t* wake_ = nullptr;
  std::shared_ptr<SpawnMailbox> mailbox_ = std::make_shared<SpawnMailbox>();
  Poller poller_;  // outlives all that it tells
  std::map<std::uint32_t, std::shared_ptr<LaunchedProcess>> launched_;
  std::map<std::uint32_t, std::shared_ptr<CellProcess>> cells_;
  HandedOut handed_out_;
  Scratch scratch_;
  std::vector<Lease> set_aside_;
  std::uint32_t next_id_ = 1;
  std::size_t calls_ = 0;  // that run in cells
};

}  // namespace codejail
