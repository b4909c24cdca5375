#include "addon/jail_processes.h"

#include <cerrno>
#include <utility>

#include "addon/call_start.h"
#include "addon/cell_order.h"
#include "addon/failure.h"
#include "addon/jail_pipes.h"
#include "addon/javascript.h"
#include "addon/memfd.h"
#include "addon/uv_handle.h"

namespace codejail {
namespace {

template <typename Process>
std::shared_ptr<Process> find(const std::map<std::uint32_t, std::shared_ptr<Process>>& processes,
                              const Napi::Value& id) {
  const auto found = processes.find(id.As<Napi::Number>().Uint32Value());
  return found == processes.end() ? nullptr : found->second;
}

Order order_of(OrderKind kind, const Napi::Value& step, const Napi::Value& head) {
  Order order{};
  order.kind = kind;
  order.step = step.As<Napi::Number>().Uint32Value();
  order.head = head.As<Napi::Number>().Uint32Value();
  return order;
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
      const auto found = launched_.find(id);
      if (found != launched_.end()) {
        found->second->adopt(std::move(spawned));
      }
    }
    mailbox_->finished.clear();
  }
  for (auto& [id, process] : launched_) {
    process->end_now();
  }
  for (auto& [id, process] : cells_) {
    process->end_now();
  }
  launched_.clear();
  cells_.clear();
  poller_.close();
  handed_out_.close_all();
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
    const auto found = launched_.find(id);
    if (found != launched_.end()) {
      // It may be over, and off the list, before this returns.
      const std::shared_ptr<LaunchedProcess> process = found->second;
      process->spawned(std::move(spawned));
    }
  }
}

std::shared_ptr<LaunchedProcess> JailProcesses::launched(const Napi::CallbackInfo& info) const {
  return find(launched_, info[0]);
}

std::shared_ptr<CellProcess> JailProcesses::cell(const Napi::CallbackInfo& info) const {
  return find(cells_, info[0]);
}

std::shared_ptr<JailProcess> JailProcesses::jail(const Napi::CallbackInfo& info) const {
  if (std::shared_ptr<CellProcess> found = cell(info)) {
    return found;
  }
  return launched(info);
}

Napi::Value JailProcesses::spawn(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto plan = std::make_unique<SpawnPlan>();
  if (!read_plan(info[0].As<Napi::Object>(), *plan)) {
    return env.Undefined();
  }
  // They are the plan's now.
  handed_out_.disown(plan->request_file.get());
  handed_out_.disown(plan->stored_files.get());
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
  const auto process = std::make_shared<LaunchedProcess>(*this, id, std::move(own.report),
                                                         info[1].As<Napi::Function>(), *plan);
  process->keep_nursery(std::move(nursery));
  launched_.emplace(id, process);
  process->watch_report();
  if (const Status started = process->start(std::move(plan), std::move(ends)); !started.ok()) {
    launched_.erase(id);
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
  Descriptor spec;
  if (const Status made = make_spec(plan, spec); !made.ok()) {
    throw_failure(info.Env(), made);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), hand_out(std::move(spec)));
}

Napi::Value JailProcesses::make_cell(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<LaunchedProcess> parent = launched(info);
  if (parent == nullptr || !parent->nursery().valid()) {
    throw_failure(env, Status::failure(Step::kNursery, EPIPE));
    return env.Undefined();
  }
  NewCell cell;
  if (const Status ordered =
          order_cell(parent->nursery(), info[1].As<Napi::Number>().Int32Value(), cell);
      !ordered.ok()) {
    throw_failure(env, ordered);
    return env.Undefined();
  }
  ParentEnds& own = cell.pipes;
  const std::uint32_t id = next_id_++;
  const std::array<int, kOutputCount> outputs = {own.standard_output.get(),
                                                 own.standard_error.get(), own.result.get()};
  const auto process =
      std::make_shared<CellProcess>(*this, id, std::move(own.report), info[2].As<Napi::Function>(),
                                    std::move(cell.ends), outputs);
  process->watch_report();
  process->watch_end();
  cells_.emplace(id, process);
  Napi::Object handles = describe(*this, id, own);
  set_number(handles, "request", hand_out(std::move(cell.request)));
  return handles;
}

Napi::Value JailProcesses::begin_call(const Napi::CallbackInfo& info) {
  const std::shared_ptr<CellProcess> process = cell(info);
  if (process == nullptr) {
    return Napi::Number::New(info.Env(), -1);
  }
  CellCall::Start start{};
  if (!read_start(info, scratch_, start)) {
    throw_failure(info.Env(), Status::failure(Step::kPipes, E2BIG, "the request"));
    return info.Env().Undefined();
  }
  start.is_alone = calls_ == 0;
  const ssize_t written = process->begin_call(loop_, start);
  if (written < 0) {
    return Napi::Number::New(info.Env(), -1);
  }
  calls_ += start.order.head == 0 ? 1 : 0;
  return Napi::Number::New(info.Env(),
                           static_cast<double>(start.size - static_cast<std::size_t>(written)));
}

Napi::Value JailProcesses::prepare_step(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<CellProcess> process = cell(info);
  const Order order = order_of(OrderKind::kPrepare, info[1], info[2]);
  Descriptor request;
  if (process == nullptr || !process->prepare_step(order, request)) {
    throw_failure(env, Status::failure(Step::kPipes, process == nullptr ? EPIPE : errno));
    return env.Undefined();
  }
  return Napi::Number::New(env, hand_out(std::move(request)));
}

Napi::Value JailProcesses::begin_step(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<CellProcess> process = cell(info);
  Order order = order_of(OrderKind::kStep, info[1], info[2]);
  order.cpu_us = limit_of(info[3]);
  // Before the request: what the step does by it comes after this order.
  if (process == nullptr || !process->tell_step(order)) {
    return Napi::Number::New(env, -1);
  }
  std::size_t length = 0;
  const auto request = info[5].As<Napi::String>();
  if (napi_get_value_string_utf8(env, request, scratch_.data(), scratch_.size(), &length) !=
          napi_ok ||
      length + 1 >= scratch_.size()) {
    throw_failure(env, Status::failure(Step::kPipes, E2BIG, "the request"));
    return env.Undefined();
  }
  ssize_t written = 0;
  do {
    written = ::write(info[4].As<Napi::Number>().Int32Value(), scratch_.data(), length);
  } while (written < 0 && errno == EINTR);
  // EPIPE: it has ended, as will be told.
  const std::size_t done = written < 0 ? 0 : static_cast<std::size_t>(written);
  return Napi::Number::New(env, static_cast<double>(length - done));
}

Napi::Value JailProcesses::tell_step(const Napi::CallbackInfo& info) {
  const std::shared_ptr<CellProcess> process = cell(info);
  const auto kind = static_cast<OrderKind>(info[1].As<Napi::Number>().Uint32Value());
  Order order = order_of(kind, info[2], info[3]);
  order.other_head = info[4].As<Napi::Number>().Uint32Value();
  return Napi::Boolean::New(info.Env(), process != nullptr && process->tell_step(order));
}

void JailProcesses::hold_loop(const Napi::CallbackInfo& info) {
  if (const std::shared_ptr<JailProcess> process = jail(info)) {
    process->hold_loop(is_true(info[1]));
  }
}

Napi::Value JailProcesses::is_gone(const Napi::CallbackInfo& info) {
  const std::shared_ptr<CellProcess> process = cell(info);
  return Napi::Boolean::New(info.Env(), process == nullptr || process->is_gone());
}

void JailProcesses::let_go(const Napi::CallbackInfo& info) {
  if (const std::shared_ptr<CellProcess> process = cell(info)) {
    process->let_go();
  }
}

Napi::Value JailProcesses::process_of(const Napi::CallbackInfo& info) {
  const std::shared_ptr<JailProcess> process = jail(info);
  return Napi::Number::New(info.Env(), process == nullptr ? -1 : process->process());
}

void JailProcesses::stop(const Napi::CallbackInfo& info) {
  if (const std::shared_ptr<JailProcess> process = jail(info)) {
    process->ask_to_stop();
  }
}

void JailProcesses::kill(const Napi::CallbackInfo& info) {
  if (const std::shared_ptr<JailProcess> process = jail(info)) {
    process->kill();
  }
}

void JailProcesses::disown(const Napi::CallbackInfo& info) {
  handed_out_.disown(info[0].As<Napi::Number>().Int32Value());
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
  launched_.erase(id);
  cells_.erase(id);
}

}  // namespace codejail
