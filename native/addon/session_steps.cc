#include "addon/session_steps.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "addon/jail_events.h"
#include "addon/jail_pipes.h"
#include "addon/javascript.h"
#include "core/descriptor_message.h"
#include "core/session.h"

namespace codejail {
namespace {

bool send_with(int socket, const Order& order, const int (&passed)[kPassedStepFds]) {
  ssize_t sent = 0;
  do {
    sent = send_packet(socket, &order, sizeof(order), MSG_DONTWAIT, passed, kPassedStepFds);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(sizeof(order));
}

const char* name_of(ReportKind kind) {
  switch (kind) {
    case ReportKind::kStepReady:
      return "ready";
    case ReportKind::kStepDone:
      return "done";
    case ReportKind::kStepEnded:
      return "ended";
    case ReportKind::kHeadBegan:
      return "begun";
    case ReportKind::kHeadLost:
      return "lost";
    case ReportKind::kNamespaces:
    case ReportKind::kTmpDirectory:
    case ReportKind::kStarted:
    case ReportKind::kFailed:
    case ReportKind::kEnded:
    case ReportKind::kCellReady:
    case ReportKind::kTemplateEnded:
    case ReportKind::kAttempt:
      break;
  }
  return "";
}

}  // namespace

StepPipes::StepPipes(Poller& poller, Descriptor (&ends)[kOutputCount],
                     CellOutputs::OnReadable on_readable)
    : outputs_(poller, {ends[kOutput].get(), ends[kErrorOutput].get(), ends[kResult].get()},
               std::move(on_readable)) {
  std::move(ends, ends + kOutputCount, ends_);
  outputs_.read_as_it_comes();
  // Its session does that while it runs.
  outputs_.hold_loop(false);
}

std::shared_ptr<StepPipes> StepPipes::make(Poller& poller, const Descriptor& channel,
                                           const Order& order, Descriptor& request,
                                           CellOutputs::OnReadable on_readable) {
  constexpr mode_t kAnybody = 0666;  // as of a jail's own (addon/jail_pipes.cc)
  Descriptor ends[kOutputCount];
  Descriptor output;
  Descriptor error;
  Descriptor asked;
  Descriptor result;
  if (!make_pipe(ends[kOutput], output, 0) || !make_pipe(ends[kErrorOutput], error, 0) ||
      !make_pipe(asked, request, 1) || !make_pipe(ends[kResult], result, 0) ||
      fchmod(output.get(), kAnybody) != 0 || fchmod(error.get(), kAnybody) != 0) {
    return nullptr;
  }
  const int passed[kPassedStepFds] = {output.get(), error.get(), asked.get(), result.get()};
  if (!send_with(channel.get(), order, passed)) {
    return nullptr;
  }
  return std::make_shared<StepPipes>(poller, ends, std::move(on_readable));
}

void StepPipes::close(std::size_t output) {
  outputs_.stop(output);
  ends_[output].reset();
}

Napi::Object step_event(Napi::Env env, const Report& report) {
  Napi::Object event = plain_event(env, "step");
  event.Set("what", name_of(report.kind));
  set_number(event, "head", report.head);
  set_number(event, "step", report.session_step);
  set_number(event, "errno", report.error);
  event.Set("isBranchable", report.is_branchable != 0);
  event.Set("report", numbers_of(env, report));
  return event;
}

}  // namespace codejail
