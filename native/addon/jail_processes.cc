#include "addon/jail_processes.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

#include "addon/failure.h"
#include "addon/javascript.h"
#include "addon/memfd.h"
#include "addon/timerfd.h"
#include "addon/uv_handle.h"
#include "core/cell.h"
#include "core/descriptor_message.h"

namespace codejail {
namespace {

bool make_pipe(Descriptor& read_end, Descriptor& write_end, int nonblocking_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  // Nothing else that it would change is set yet (fcntl(2)).
  return fcntl(ends[nonblocking_end], F_SETFL, O_NONBLOCK) == 0;
}

// A program may open its streams anew by name (/dev/stdin, /proc/self/fd/1), whatever its uid: a
// pipe of root's own is closed to a leased one. By mode, since a server need not have CAP_CHOWN. A
// pipe has no name but in the /proc of a process that has it, which only who may trace that process
// can follow (fs/proc/base.c, proc_fd_access_allowed).
bool let_reopen(const ChildEnds& child) {
  constexpr mode_t kAnybody = 0666;
  return fchmod(child.standard_input.get(), kAnybody) == 0 &&
         fchmod(child.standard_output.get(), kAnybody) == 0 &&
         fchmod(child.standard_error.get(), kAnybody) == 0;
}

// The server's ends of a jail's pipes.
struct ParentEnds {
  Descriptor standard_input;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor result;
  Descriptor report;
};

bool make_pipes(ParentEnds& parent, ChildEnds& child, bool has_result) {
  int channel[2];
  if (!make_pipe(child.standard_input, parent.standard_input, 1) ||
      !make_pipe(parent.standard_output, child.standard_output, 0) ||
      !make_pipe(parent.standard_error, child.standard_error, 0) || !let_reopen(child) ||
      (has_result && !make_pipe(parent.result, child.result, 0)) ||
      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0) {
    return false;
  }
  parent.report.reset(channel[0]);
  child.report.reset(channel[1]);
  return true;
}

Napi::Object describe(JailProcesses& owner, std::uint32_t id, ParentEnds& ends) {
  Napi::Object handles = Napi::Object::New(owner.env());
  set_number(handles, "id", id);
  set_number(handles, "stdin", owner.hand_out(std::move(ends.standard_input)));
  set_number(handles, "stdout", owner.hand_out(std::move(ends.standard_output)));
  set_number(handles, "stderr", owner.hand_out(std::move(ends.standard_error)));
  set_number(handles, "result", owner.hand_out(std::move(ends.result)));
  return handles;
}

bool make_nursery(Descriptor& server, Descriptor& child) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return false;
  }
  server.reset(ends[0]);
  child.reset(ends[1]);
  // The event loop must not wait for a nursery.
  return fcntl(server.get(), F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

JailProcesses::JailProcesses(Napi::Env env) : env_(env) {}

int JailProcesses::start() {
  if (napi_get_uv_event_loop(env_, &loop_) != napi_ok) {
    return UV_EINVAL;
  }
  auto wake = std::make_unique<uv_async_t>();
  const auto on_wake = [](uv_async_t* handle) {
    static_cast<JailProcesses*>(handle->data)->collect_spawned();
  };
  if (const int error = uv_async_init(loop_, wake.get(), on_wake); error != 0) {
    return error;
  }
  wake_ = wake.release();
  wake_->data = this;
  // Referenced only while a jail runs: an idle library lets the process end.
  uv_unref(reinterpret_cast<uv_handle_t*>(wake_));
  mailbox_->wake = wake_;
  poller_.begin(loop_);
  if (napi_add_async_cleanup_hook(env_, on_cleanup, this, nullptr) != napi_ok) {
    uv_close(reinterpret_cast<uv_handle_t*>(wake_), free_handle<uv_async_t>);
    return UV_ENOMEM;
  }
  return 0;
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
        found->second->adopt(std::move(spawned));
      }
    }
    mailbox_->finished.clear();
  }
  for (auto& [id, process] : processes_) {
    process->end_now();
  }
  processes_.clear();
  poller_.close();
  for (const int descriptor : handed_out_) {
    ::close(descriptor);
  }
  handed_out_.clear();
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
      // It may be over, and off the list, before this returns.
      const std::shared_ptr<JailProcess> process = found->second;
      process->spawned(std::move(spawned));
    }
  }
}

Napi::Value JailProcesses::spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = std::make_unique<SpawnPlan>();
  if (!read_plan(info[0].As<Napi::Object>(), *plan)) {
    return env.Undefined();
  }
  // It is the plan's now.
  handed_out_.erase(plan->request_file.get());
  ChildEnds ends;
  ParentEnds own;
  Descriptor nursery;
  const bool is_template = (plan->header.flags & kTemplate) != 0;
  if (!make_pipes(own, ends, plan->has_request) ||
      (is_template && !make_nursery(nursery, ends.nursery))) {
    throw_failure(env, Status::failure(Step::kPipes, errno));
    return env.Undefined();
  }
  const std::uint32_t id = next_id_++;
  plan->cgroup.name = "jail-" + std::to_string(id);
  auto process = std::make_shared<JailProcess>(*this, id, std::move(own.report),
                                               info[1].As<Napi::Function>(), *plan);
  process->keep_nursery(std::move(nursery));
  JailProcess& added = *processes_.emplace(id, std::move(process)).first->second;
  added.watch_report();
  if (const Status started = added.start(std::move(plan), std::move(ends)); !started.ok()) {
    processes_.erase(id);
    throw_failure(env, started);
    return env.Undefined();
  }
  return describe(*this, id, own);
}

Napi::Value JailProcesses::seal_spec(const Napi::CallbackInfo& info) {
  SpawnPlan plan;
  if (!read_plan(info[0].As<Napi::Object>(), plan)) {
    return info.Env().Undefined();
  }
  const std::vector<char> bytes = spec_bytes(plan);
  Descriptor spec;
  if (const Status made = make_spec_file(bytes.data(), bytes.size(), spec); !made.ok()) {
    throw_failure(info.Env(), made);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), hand_out(std::move(spec)));
}

Napi::Value JailProcesses::make_cell(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == processes_.end() || !found->second->nursery().valid()) {
    throw_failure(env, Status::failure(Step::kNursery, EPIPE));
    return env.Undefined();
  }
  ChildEnds ends;
  ParentEnds own;
  Descriptor request;
  Descriptor child_request;
  Descriptor lifeline;
  Descriptor child_lifeline;
  if (!make_pipes(own, ends, true) || !make_pipe(child_request, request, 1) ||
      !make_pipe(child_lifeline, lifeline, 1)) {
    throw_failure(env, Status::failure(Step::kPipes, errno));
    return env.Undefined();
  }
  Timerfd timerfd = Timerfd::make();
  if (!timerfd.valid()) {
    throw_failure(env, Status::failure(Step::kPipes, errno, "timerfd_create"));
    return env.Undefined();
  }
  Descriptor end(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!end.valid()) {
    throw_failure(env, Status::failure(Step::kPipes, errno, "eventfd"));
    return env.Undefined();
  }
  int handed[kServerFds];
  handed[kStdinFd] = ends.standard_input.get();
  handed[kStdoutFd] = ends.standard_output.get();
  handed[kStderrFd] = ends.standard_error.get();
  handed[kRequestFd] = child_request.get();
  handed[kResultFd] = ends.result.get();
  handed[kReportFd] = ends.report.get();
  handed[kSpecFd] = info[1].As<Napi::Number>().Int32Value();
  handed[kTimerFd] = timerfd.get();
  handed[kEndFd] = end.get();
  handed[kLifelineFd] = child_lifeline.get();
  if (!send_descriptors(found->second->nursery().get(), handed, kServerFds)) {
    throw_failure(env, Status::failure(Step::kNursery, errno));
    return env.Undefined();
  }
  const std::uint32_t id = next_id_++;
  auto process = std::make_shared<JailProcess>(*this, id, std::move(own.report),
                                               info[2].As<Napi::Function>(), SpawnPlan{}, true);
  process->watch_report();
  process->watch_end(std::move(end));
  process->keep_lifeline(std::move(lifeline));
  process->expect_call(std::move(timerfd),
                       {own.standard_output.get(), own.standard_error.get(), own.result.get()});
  processes_.emplace(id, std::move(process));
  Napi::Object handles = describe(*this, id, own);
  set_number(handles, "request", hand_out(std::move(request)));
  return handles;
}

Napi::Value JailProcesses::begin_call(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found == processes_.end()) {
    return Napi::Number::New(info.Env(), -1);
  }
  const auto limit = [&](std::size_t index) {
    const std::int64_t value = info[index].As<Napi::Number>().Int64Value();
    return value < 0 ? kUnlimited : static_cast<std::uint64_t>(value);
  };
  const auto head = info[6].As<Napi::Uint8Array>();
  CellCall::Start start{};
  start.order.cpu_us = limit(1);
  start.order.memory_bytes = limit(2);
  start.order.most_files = info[3].As<Napi::Number>().Uint32Value();
  start.order.wants_tmp_directory = is_true(info[4]) ? 1 : 0;
  start.request = info[5].As<Napi::Number>().Int32Value();
  start.frame = head.Data();
  start.size = head.ByteLength();
  if (info[7].IsString() && !append_request(info[7].As<Napi::String>(), start)) {
    throw_failure(info.Env(), Status::failure(Step::kPipes, E2BIG, "the request"));
    return info.Env().Undefined();
  }
  start.is_alone = calls_ == 0;
  const ssize_t written = found->second->begin_call(loop_, start);
  if (written < 0) {
    return Napi::Number::New(info.Env(), -1);
  }
  ++calls_;
  return Napi::Number::New(info.Env(),
                           static_cast<double>(start.size - static_cast<std::size_t>(written)));
}

bool JailProcesses::append_request(Napi::String request, CellCall::Start& start) {
  if (start.size < sizeof(CallHeader) || start.size > scratch_.size()) {
    return false;
  }
  std::memcpy(scratch_.data(), start.frame, start.size);
  const std::size_t room = scratch_.size() - start.size;
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env_, request, scratch_.data() + start.size, room, &length) !=
          napi_ok ||
      length + 1 >= room) {
    // One that fills it may have been cut.
    return false;
  }
  const std::uint64_t request_size = length;
  std::memcpy(scratch_.data() + offsetof(CallHeader, request_size), &request_size,
              sizeof(request_size));
  start.frame = reinterpret_cast<const std::uint8_t*>(scratch_.data());
  start.size += length;
  return true;
}

void JailProcesses::hold_loop(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != processes_.end()) {
    found->second->hold_loop(is_true(info[1]));
  }
}

Napi::Value JailProcesses::is_gone(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  const bool gone =
      found == processes_.end() || std::shared_ptr<JailProcess>(found->second)->is_gone();
  return Napi::Boolean::New(info.Env(), gone);
}

void JailProcesses::let_go(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != processes_.end()) {
    std::shared_ptr<JailProcess>(found->second)->let_go();
  }
}

Napi::Value JailProcesses::process_of(const Napi::CallbackInfo& info) {
  const auto found = processes_.find(info[0].As<Napi::Number>().Uint32Value());
  return Napi::Number::New(info.Env(), found == processes_.end() ? -1 : found->second->process());
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

int JailProcesses::hand_out(Descriptor descriptor) {
  if (descriptor.valid()) {
    handed_out_.insert(descriptor.get());
  }
  return descriptor.release();
}

void JailProcesses::disown(const Napi::CallbackInfo& info) {
  handed_out_.erase(info[0].As<Napi::Number>().Int32Value());
}

void JailProcesses::take_back(int descriptor) {
  const Descriptor closed(descriptor);
  handed_out_.erase(descriptor);
}

void JailProcesses::close_descriptor(const Napi::CallbackInfo& info) {
  take_back(info[0].As<Napi::Number>().Int32Value());
}

ssize_t JailProcesses::read_chunk(int descriptor, Napi::Buffer<char>& chunk) {
  ssize_t count = 0;
  do {
    count = ::read(descriptor, scratch_.data(), scratch_.size());
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    chunk = Napi::Buffer<char>::Copy(env_, scratch_.data(), static_cast<std::size_t>(count));
  }
  return count;
}

Napi::Value JailProcesses::read_rest(const Napi::CallbackInfo& info) {
  Napi::Buffer<char> chunk;
  const ssize_t count = read_chunk(info[0].As<Napi::Number>().Int32Value(), chunk);
  if (count > 0) {
    return chunk;
  }
  if (count < 0) {
    return info.Env().Undefined();
  }
  close_descriptor(info);
  return info.Env().Null();
}

void JailProcesses::remove(std::uint32_t id) {
  processes_.erase(id);
}

}  // namespace codejail
