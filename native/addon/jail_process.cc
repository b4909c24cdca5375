#include "jail_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <thread>

#include "syscalls.h"

namespace codejail {
namespace {

// libuv refers to a handle until its close callback has run, so only that may free it.
template <typename Handle>
void free_handle(uv_handle_t* closed) {
  const std::unique_ptr<Handle> memory(reinterpret_cast<Handle*>(closed));
}

// One packet, with the descriptor that may come along. Zero or negative: none there, or the end.
ssize_t receive(int channel, Report& report, Descriptor& passed) {
  iovec part{&report, sizeof(report)};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  ssize_t count = 0;
  do {
    count = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header), sizeof(number));
      passed.reset(number);
    }
  }
  return count;
}

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

// Blocks until the process is dead, and reaps it. Not by waitid alone: libuv has made the pidfd
// non-blocking, which makes waitid answer EAGAIN (pidfd_open(2)).
void wait_for_end(const Descriptor& pidfd) {
  pollfd event{pidfd.get(), POLLIN, 0};
  while (poll(&event, 1, -1) < 0 && errno == EINTR) {
  }
  siginfo_t info{};
  (void)waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL);
}

void set_number(Napi::Object& object, const char* name, double value) {
  object.Set(name, Napi::Number::New(object.Env(), value));
}

}  // namespace

void JailProcess::Watch::start(uv_loop_t* loop, int descriptor, void* data, uv_poll_cb callback) {
  handle = std::make_unique<uv_poll_t>().release();
  uv_poll_init(loop, handle, descriptor);
  handle->data = data;
  uv_poll_start(handle, UV_READABLE | UV_DISCONNECT, callback);
}

void JailProcess::Watch::stop() {
  if (handle != nullptr) {
    uv_poll_stop(handle);
    uv_close(reinterpret_cast<uv_handle_t*>(handle), free_handle<uv_poll_t>);
    handle = nullptr;
  }
}

JailProcess::JailProcess(JailProcesses& owner, std::uint32_t id, Descriptor report,
                         Napi::Function on_event, std::uint32_t flags)
    : owner_(owner),
      id_(id),
      launcher_makes_namespaces_((flags & kLauncherMakesNamespaces) != 0),
      reaper_by_uid_((flags & kReaperByUid) != 0),
      report_channel_(std::move(report)),
      on_event_(Napi::Persistent(on_event)),
      context_(owner.env(), "codejail:jail") {}

JailProcess::~JailProcess() {
  if (spawner_.joinable()) {
    spawner_.join();
  }
  report_watch_.stop();
  first_watch_.stop();
  second_watch_.stop();
}

void JailProcess::watch_report(uv_loop_t* loop) {
  report_watch_.start(loop, report_channel_.get(), this, [](uv_poll_t* handle, int, int) {
    static_cast<JailProcess*>(handle->data)->read_reports(handle->loop);
  });
}

void JailProcess::spawned(uv_loop_t* loop, Spawned result) {
  have_spawned_ = true;
  // It has put its result down and is about to end.
  spawner_.join();
  lease_ = std::move(result.lease);
  first_pidfd_ = std::move(result.pidfd);
  if (!result.status.ok()) {
    failure_ = result.status;
    failure_detail_ = result.status.detail();
    finish();
    return;
  }
  first_watch_.start(loop, first_pidfd_.get(), this, [](uv_poll_t* handle, int, int) {
    static_cast<JailProcess*>(handle->data)->on_process_end(handle->loop);
  });
  if (kill_requested_) {
    kill();
  } else if (stop_requested_) {
    ask_to_stop();
  }
}

void JailProcess::ask_to_stop() {
  stop_requested_ = true;
  if (have_spawned_) {
    (void)::send(report_channel_.get(), "stop", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

void JailProcess::kill() {
  kill_requested_ = true;
  if (!have_spawned_) {
    return;
  }
  if (second_pidfd_.valid()) {
    (void)sys_pidfd_send_signal(second_pidfd_.get(), SIGKILL);
  }
  // A launcher that is about to tell of the jail's PID 1 is left to do so: nobody else knows it.
  if (!launcher_makes_namespaces_ && first_pidfd_.valid()) {
    (void)sys_pidfd_send_signal(first_pidfd_.get(), SIGKILL);
  }
}

void JailProcess::end_now() {
  report_watch_.stop();
  first_watch_.stop();
  second_watch_.stop();
  if (launcher_makes_namespaces_ && first_pidfd_.valid()) {
    // It ends by itself, after it has told of the jail's PID 1.
    wait_for_end(first_pidfd_);
    first_pidfd_.reset();
  }
  Report report{};
  Descriptor passed;
  while (receive(report_channel_.get(), report, passed) > 0) {
    if (report.kind == ReportKind::kNamespaces) {
      second_pidfd_ = std::move(passed);
    }
  }
  for (const Descriptor* pidfd : {&second_pidfd_, &first_pidfd_}) {
    if (pidfd->valid()) {
      (void)sys_pidfd_send_signal(pidfd->get(), SIGKILL);
      wait_for_end(*pidfd);
    }
  }
  report_channel_.reset();
}

void JailProcess::read_reports(uv_loop_t* loop) {
  for (;;) {
    Report report{};
    Descriptor passed;
    const ssize_t count = receive(report_channel_.get(), report, passed);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
      // The end: what follows is told by the pidfd.
      report_watch_.stop();
      return;
    }
    if (count < 0) {
      return;
    }
    if (count == static_cast<ssize_t>(sizeof(report))) {
      take_report(report, std::move(passed), loop);
    }
  }
}

void JailProcess::take_report(const Report& report, Descriptor passed, uv_loop_t* loop) {
  const Napi::Env env = owner_.env();
  switch (report.kind) {
    case ReportKind::kNamespaces:
      second_pidfd_ = std::move(passed);
      second_watch_.start(loop, second_pidfd_.get(), this, [](uv_poll_t* handle, int, int) {
        static_cast<JailProcess*>(handle->data)->on_process_end(handle->loop);
      });
      if (kill_requested_) {
        kill();
      }
      break;
    case ReportKind::kTmpDirectory:
      tmp_directory_ = std::move(passed);
      break;
    case ReportKind::kStarted: {
      const Napi::HandleScope scope(env);
      Napi::Object event = Napi::Object::New(env);
      event.Set("type", "started");
      set_number(event, "startedMs", static_cast<double>(report.started_ns) / 1e6);
      event.Set("label", report.label);
      emit(event);
      break;
    }
    case ReportKind::kFailed:
      failure_ = Status::failure(report.step, report.error);
      failure_detail_.assign(report.detail, strnlen(report.detail, sizeof(report.detail)));
      break;
    case ReportKind::kEnded:
      have_end_ = true;
      end_ = report;
      break;
  }
}

bool JailProcess::reap(const Descriptor& pidfd) {
  siginfo_t info{};
  const int result =
      waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG | __WALL);
  if (result != 0) {
    // Somebody else's wait took it, or SIGCHLD is ignored in this process: it is dead all the same.
    return errno == ECHILD;
  }
  if (info.si_pid == 0) {
    return false;
  }
  launcher_status_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  return true;
}

void JailProcess::on_process_end(uv_loop_t* loop) {
  if (!first_ended_ && reap(first_pidfd_)) {
    first_ended_ = true;
    first_watch_.stop();
  }
  if (second_pidfd_.valid() && !second_ended_ && reap(second_pidfd_)) {
    second_ended_ = true;
    second_watch_.stop();
  }
  if (!first_ended_) {
    return;
  }
  if (report_watch_.handle != nullptr) {
    read_reports(loop);
  }
  if (second_pidfd_.valid() && !second_ended_) {
    return;
  }
  finish();
}

Napi::Object JailProcess::describe_end(Napi::Env env) {
  Napi::Object event = Napi::Object::New(env);
  event.Set("type", "ended");
  event.Set("tmpDirectory", Napi::Number::New(env, tmp_directory_.release()));
  if (!failure_.ok()) {
    Napi::Object failure = Napi::Object::New(env);
    failure.Set("step", step_name(failure_.step()));
    failure.Set("syscall", step_syscall(failure_.step()));
    set_number(failure, "errno", failure_.error());
    failure.Set("detail", failure_detail_);
    event.Set("failure", failure);
    return event;
  }
  set_number(event, "launcherStatus", launcher_status_);
  if (!have_end_) {
    return event;
  }
  Napi::Object report = Napi::Object::New(env);
  const int status = end_.wait_status;
  set_number(report, "status", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  set_number(report, "verdict", static_cast<double>(end_.verdict));
  set_number(report, "userMs", static_cast<double>(end_.user_us) / 1e3);
  set_number(report, "systemMs", static_cast<double>(end_.system_us) / 1e3);
  set_number(report, "cpuMs", static_cast<double>(end_.cpu_us) / 1e3);
  set_number(report, "peakRssBytes", static_cast<double>(end_.peak_rss_bytes));
  set_number(report, "peakMemoryBytes", static_cast<double>(end_.peak_sum_bytes));
  set_number(report, "diskBytes", static_cast<double>(end_.disk_bytes));
  set_number(report, "diskFiles", static_cast<double>(end_.disk_files));
  report.Set("diskFull", Napi::Boolean::New(env, end_.disk_full != 0));
  report.Set("filesFull", Napi::Boolean::New(env, end_.files_full != 0));
  event.Set("report", report);
  return event;
}

void JailProcess::finish() {
  if (finished_) {
    return;
  }
  finished_ = true;
  report_watch_.stop();
  first_watch_.stop();
  second_watch_.stop();
  // The end of a PID namespace is the end of all in it. Without one, only the launcher could tell.
  if (reaper_by_uid_ && lease_.lock.valid() && !have_end_ && failure_.ok()) {
    owner_.set_aside(std::move(lease_));
  }
  lease_.lock.reset();
  // Before JavaScript goes on: when the call settles, nothing of it is open.
  report_channel_.reset();
  first_pidfd_.reset();
  second_pidfd_.reset();
  const Napi::Env env = owner_.env();
  const Napi::HandleScope scope(env);
  const Napi::Object event = describe_end(env);
  emit(event);
  // Destroys this.
  owner_.remove(id_);
}

void JailProcess::emit(const Napi::Object& event) {
  on_event_.MakeCallback(owner_.env().Global(), {event}, context_);
  if (owner_.env().IsExceptionPending()) {
    const Napi::Error error = owner_.env().GetAndClearPendingException();
    napi_fatal_exception(owner_.env(), error.Value());
  }
}

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
        found->second->first_pidfd_ = std::move(spawned.pidfd);
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
    Napi::Error error = Napi::Error::New(
        env, std::string("can't make the pipes of a jail: ") + std::strerror(errno));
    error.Set("errno", Napi::Number::New(env, errno));
    error.ThrowAsJavaScriptException();
    return env.Undefined();
  }
  ends.report.reset(channel[1]);
  const std::uint32_t id = next_id_++;
  auto process = std::make_unique<JailProcess>(*this, id, Descriptor(channel[0]),
                                               info[1].As<Napi::Function>(), plan->header.flags);
  process->watch_report(loop_);
  JailProcess& added = *processes_.emplace(id, std::move(process)).first->second;

  added.spawner_ = std::thread(
      [plan = std::move(plan), ends = std::move(ends), mailbox = mailbox_, id]() mutable {
        Spawned spawned = spawn_launcher(*plan, std::move(ends));
        const std::lock_guard<std::mutex> lock(mailbox->mutex);
        if (mailbox->closed) {
          // The environment has gone meanwhile, and with it its end of the report channel, which
          // the launcher takes for the end of the server; reaping is left to do here.
          if (spawned.pidfd.valid()) {
            (void)sys_pidfd_send_signal(spawned.pidfd.get(), SIGKILL);
            wait_for_end(spawned.pidfd);
          }
          return;
        }
        mailbox->finished.emplace_back(id, std::move(spawned));
        uv_async_send(mailbox->wake);
      });

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
