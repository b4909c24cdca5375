#include "jail_processes.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cstring>

#include "javascript.h"
#include "uv_handle.h"

namespace codejail {
namespace {

bool make_pipe(Descriptor& read_end, Descriptor& write_end, int nonblocking_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return fcntl(ends[nonblocking_end], F_SETFL,
               fcntl(ends[nonblocking_end], F_GETFL) | O_NONBLOCK) == 0;
}

void throw_failure(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, step_name(status.step()));
  error.Set("step", step_name(status.step()));
  error.Set("syscall", step_syscall(status.step()));
  error.Set("errno", Napi::Number::New(env, status.error()));
  error.ThrowAsJavaScriptException();
}

}  // namespace

JailProcesses::JailProcesses(Napi::Env env) : env_(env) {}

bool JailProcesses::start() {
  if (napi_get_uv_event_loop(env_, &loop_) != napi_ok) {
    return false;
  }
  wake_ = std::make_unique<uv_async_t>().release();
  wake_->data = this;
  uv_async_init(loop_, wake_, [](uv_async_t* handle) {
    static_cast<JailProcesses*>(handle->data)->collect_spawned();
  });
  // Referenced only while a jail runs: an idle library lets the process end.
  uv_unref(reinterpret_cast<uv_handle_t*>(wake_));
  mailbox_->wake = wake_;
  return napi_add_async_cleanup_hook(env_, on_cleanup, this, nullptr) == napi_ok;
}

void JailProcesses::on_cleanup(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<JailProcesses*>(data);
  self->end_all(handle);
}

void JailProcesses::end_all(napi_async_cleanup_hook_handle hook) {
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    mailbox_->closed = true;
    mailbox_->wake = nullptr;
    for (auto& [id, spawned] : mailbox_->finished) {
      const auto found = processes_.find(id);
      if (found != processes_.end()) {
        found->second->adopt(std::move(spawned.pidfd));
      }
    }
    mailbox_->finished.clear();
  }
  for (auto& [id, process] : processes_) {
    process->end_now();
  }
  processes_.clear();
  // A worker's loop must be empty when the hook is taken off.
  wake_->data = hook;
  uv_close(reinterpret_cast<uv_handle_t*>(wake_), [](uv_handle_t* closed) {
    napi_remove_async_cleanup_hook(static_cast<napi_async_cleanup_hook_handle>(closed->data));
    free_handle<uv_async_t>(closed);
  });
  wake_ = nullptr;
}

void JailProcesses::collect_spawned() {
  std::vector<std::pair<std::uint32_t, Spawned>> finished;
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    finished.swap(mailbox_->finished);
  }
  for (auto& [id, spawned] : finished) {
    const auto found = processes_.find(id);
    if (found != processes_.end()) {
      found->second->spawned(loop_, std::move(spawned));
    }
  }
}

Napi::Value JailProcesses::spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = std::make_unique<SpawnPlan>();
  if (!read_plan(info[0].As<Napi::Object>(), *plan)) {
    return env.Undefined();
  }
  ChildEnds ends;
  Descriptor standard_input;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor result;
  int channel[2];
  bool made = make_pipe(ends.standard_input, standard_input, 1) &&
              make_pipe(standard_output, ends.standard_output, 0) &&
              make_pipe(standard_error, ends.standard_error, 0) &&
              (!plan->has_request || make_pipe(result, ends.result, 0)) &&
              socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == 0;
  if (!made) {
    throw_failure(env, Status::failure(Step::kPipes, errno));
    return env.Undefined();
  }
  ends.report.reset(channel[1]);
  const std::uint32_t id = next_id_++;
  auto process = std::make_unique<JailProcess>(*this, id, Descriptor(channel[0]),
                                               info[1].As<Napi::Function>(), *plan);
  JailProcess& added = *processes_.emplace(id, std::move(process)).first->second;
  if (const Status started = added.start(std::move(plan), std::move(ends)); !started.ok()) {
    processes_.erase(id);
    throw_failure(env, started);
    return env.Undefined();
  }
  added.watch_report(loop_);

  Napi::Object handles = Napi::Object::New(env);
  set_number(handles, "id", id);
  set_number(handles, "stdin", standard_input.release());
  set_number(handles, "stdout", standard_output.release());
  set_number(handles, "stderr", standard_error.release());
  set_number(handles, "result", result.release());
  return handles;
}

void JailProcesses::stop(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != processes_.end()) {
    found->second->ask_to_stop();
  }
}

void JailProcesses::kill(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != processes_.end()) {
    found->second->kill();
  }
}

void JailProcesses::remove(std::uint32_t id) {
  processes_.erase(id);
}

}  // namespace codejail
