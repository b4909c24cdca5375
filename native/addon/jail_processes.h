// The jails of one JavaScript environment (the main thread's or a worker's).
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "addon/jail_process.h"

namespace codejail {

class JailProcesses {
 public:
  explicit JailProcesses(Napi::Env env);
  // 0, or libuv's number of the error: then it is not to be used.
  int start();

  // spawn(spec, onEvent): {id, stdin, stdout, stderr, result}
  Napi::Value spawn(const Napi::CallbackInfo& info);
  // sealSpec(spec): a descriptor, which closeDescriptor closes
  Napi::Value seal_spec(const Napi::CallbackInfo& info);
  // makeCell(template, spec, onEvent): {id, stdin, stdout, stderr, result, request}
  Napi::Value make_cell(const Napi::CallbackInfo& info);
  // beginCall(cell, cpuMicroseconds, memoryBytes, wantsTmpDirectory, descriptor, frame, request):
  // number
  Napi::Value begin_call(const Napi::CallbackInfo& info);
  // holdLoop(jail, held): void
  void hold_loop(const Napi::CallbackInfo& info);
  // isGone(cell): boolean
  Napi::Value is_gone(const Napi::CallbackInfo& info);
  // letGo(cell): void
  void let_go(const Napi::CallbackInfo& info);
  // processOf(id): number
  Napi::Value process_of(const Napi::CallbackInfo& info);
  // closeDescriptor(descriptor): void
  void close_descriptor(const Napi::CallbackInfo& info);
  // readRest(descriptor): Buffer | null | undefined; null at the end, where it is closed too;
  // undefined where somebody may still write
  Napi::Value read_rest(const Napi::CallbackInfo& info);
  // disown(descriptor): void; JavaScript closes it from now on
  void disown(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void kill(const Napi::CallbackInfo& info);

  void remove(std::uint32_t id);
  // A cell's call is over.
  void call_ends() { --calls_; }
  // Reads from a pipe that does not block; as read(2).
  ssize_t read_chunk(int descriptor, Napi::Buffer<char>& chunk);
  // Gives a descriptor to JavaScript as a number. A worker may end before it is taken or closed.
  int hand_out(Descriptor descriptor);
  // Closes one that was handed out.
  void take_back(int descriptor);
  // A uid that may still have a process is never lent again by this server.
  void set_aside(Lease lease) { set_aside_.push_back(std::move(lease)); }
  [[nodiscard]] std::shared_ptr<SpawnMailbox> mailbox() const { return mailbox_; }
  [[nodiscard]] Napi::Env env() const { return env_; }
  [[nodiscard]] Poller& poller() { return poller_; }

 private:
  // Puts a frame without its request, and the request, together.
  bool append_request(Napi::String request, CellCall::Start& start);
  static void on_cleanup(napi_async_cleanup_hook_handle handle, void* data);
  void collect_spawned();
  void end_all(napi_async_cleanup_hook_handle hook);

  Napi::Env env_;
  uv_loop_t* loop_ = nullptr;
  uv_async_t* wake_ = nullptr;
  std::shared_ptr<SpawnMailbox> mailbox_ = std::make_shared<SpawnMailbox>();
  Poller poller_;  // outlives all that it tells
  std::map<std::uint32_t, std::shared_ptr<JailProcess>> processes_;
  std::set<int> handed_out_;
  // As much as a pipe holds (pipe(7)): for what is read from one, or written to one, at once.
  std::array<char, 65536> scratch_;
  std::vector<Lease> set_aside_;
  std::uint32_t next_id_ = 1;
  std::size_t calls_ = 0;  // that run in cells
};

}  // namespace codejail
