#include "addon/cell_order.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

#include "core/descriptor_message.h"
#include "core/descriptor_table.h"

namespace codejail {

Status order_cell(const Descriptor& nursery, int spec, NewCell& cell) {
  ChildEnds given;
  Descriptor request;
  Descriptor lifeline;
  if (!make_pipes(cell.pipes, given, true) || !make_pipe(request, cell.request, 1) ||
      !make_pipe(lifeline, cell.ends.lifeline, 1)) {
    return Status::failure(Step::kPipes, errno);
  }
  cell.ends.timerfd = Timerfd::make();
  if (!cell.ends.timerfd.valid()) {
    return Status::failure(Step::kPipes, errno, "timerfd_create");
  }
  cell.ends.end.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!cell.ends.end.valid()) {
    return Status::failure(Step::kPipes, errno, "eventfd");
  }
  int handed[kServerFds];
  handed[kStdinFd] = given.standard_input.get();
  handed[kStdoutFd] = given.standard_output.get();
  handed[kStderrFd] = given.standard_error.get();
  handed[kRequestFd] = request.get();
  handed[kResultFd] = given.result.get();
  handed[kReportFd] = given.report.get();
  handed[kSpecFd] = spec;
  handed[kTimerFd] = cell.ends.timerfd.get();
  handed[kEndFd] = cell.ends.end.get();
  handed[kLifelineFd] = lifeline.get();
  return send_descriptors(nursery.get(), handed, kServerFds)
             ? Status::success()
             : Status::failure(Step::kNursery, errno);
}

}  // namespace codejail
