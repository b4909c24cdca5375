#include "launcher/session.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "core/processor_share.h"

namespace codejail {
namespace {

// False where it can't be told, as where there is no /dev/tty. Who does not lead the session leaves
// its terminal to the others (tty_ioctl(4), TIOCNOTTY).
bool leave_terminal() {
  const Descriptor terminal(open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  return terminal.valid() ? ioctl(terminal.get(), TIOCNOTTY) == 0 : errno == ENXIO;
}

}  // namespace

Status Session::leave_server(bool apart) {
  if (!apart && leave_terminal()) {
    return leave_process_group();
  }
  if (setsid() < 0) {
    return Status::failure(Step::kSession, errno, "setsid");
  }
  // Missing where the kernel makes no such groups.
  autogroup_.reset(open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC));
  weigh_less();
  return Status::success();
}

void Session::weigh_less() {
  if (autogroup_.valid() && (write(autogroup_.get(), "10", 2) == 2 || errno != EAGAIN)) {
    autogroup_.reset();
  }
}

}  // namespace codejail
