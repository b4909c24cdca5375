#include "launcher/answers.h"

#include <poll.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "core/descriptor_message.h"
#include "core/seccomp_checks.h"
#include "core/session.h"

namespace codejail {
namespace {

bool opens(const Notification& call) {
  switch (call.number()) {
#if defined(SYS_open)
    case SYS_open:
    case SYS_creat:
    case SYS_mkdir:
#endif
    case SYS_openat:
    case SYS_mkdirat:
      return true;
    default:
      return false;
  }
}

bool is_of_sessions(const Notification& call) {
  switch (call.number()) {
    case kSessionCall:
    case SYS_clone:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_pidfd_send_signal:
    case SYS_prlimit64:
    case SYS_sched_setaffinity:
    case SYS_sched_setparam:
    case SYS_sched_setscheduler:
    case SYS_setpriority:
    case SYS_ioprio_set:
      return true;
    default:
      return false;
  }
}

bool is_exec(const Notification& call) {
  return call.number() == SYS_execve || call.number() == SYS_execveat;
}

}  // namespace

void Answers::explain(const ReportChannel& channel, const LauncherKey& key) {
  attempts_ = std::make_unique<Attempts>(channel, counted_.proc(), key.memory);
}

void Answers::expect_start(pid_t program, std::function<void()> on_start) {
  starting_ = program;
  on_start_ = std::move(on_start);
}

void Answers::receive_listener(const Descriptor& socket) {
  (void)receive_descriptors(socket.get(), &listener_, 1);
}

bool Answers::answer(short events) {
  if ((events & POLLIN) == 0) {
    // Anything else: nobody is under the filter any more.
    has_askers_ = has_askers_ && events == 0;
    return true;
  }
  Notification call;
  if (!call.receive(listener_)) {
    return true;
  }
  if (attempts_ != nullptr) {
    return answer_told(call);
  }
  if (is_of_sessions(call)) {
    return answer_session(call);
  }
  return is_exec(call) ? answer_exec(call) : counted_.answer(listener_, call);
}

bool Answers::answer_session(const Notification& call) {
  if (on_session_call_) {
    return on_session_call_(call);
  }
  return call.number() == kSessionCall || call.number() == SYS_clone ? call.refuse(listener_, EPERM)
                                                                     : call.go_on(listener_);
}

// Of an explained call. What the kernel makes is as if nobody had asked.
bool Answers::answer_told(const Notification& call) {
  if (is_exec(call) && !spec_.has(kAllowExec)) {
    if (starting_ < 0) {
      attempts_->look(call, EACCES);
    }
    return answer_exec(call);
  }
  const std::uint64_t arguments[6] = {call.argument(0), call.argument(1), call.argument(2),
                                      call.argument(3), call.argument(4), call.argument(5)};
  const int refused = refused_for_arguments(call.number(), arguments);
  attempts_->look(call, refused);
  if (refused != 0) {
    return call.refuse(listener_, refused);
  }
  return is_exec(call) || opens(call) ? call.go_on(listener_) : counted_.answer(listener_, call);
}

bool Answers::answer_exec(const Notification& call) {
  // Only code of the launcher runs in the jail before the start, so the arguments that the kernel
  // will read again are those of the launcher (seccomp_unotify(2), "CONTINUE").
  if (starting_ >= 0 && call.caller() == static_cast<std::uint32_t>(starting_)) {
    starting_ = -1;
    on_start_();
    return call.go_on(listener_);
  }
  counted_.stand_ins().look_at(listener_, call);
  return call.refuse(listener_, EACCES);
}

void require_answer(const ReportChannel& channel, bool is_answered) {
  if (!is_answered) {
    channel.fail(Status::failure(Step::kSupervise, errno, "the answer to a system call"));
  }
}

}  // namespace codejail
