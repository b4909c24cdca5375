#include "launcher/stand_ins.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/syscalls.h"
#include "launcher/library_list.h"

namespace codejail {
namespace {

// The number of the pipe that a tracker would read; below 0 where it is none. joblib's loky has one
// of its own, with further arguments.
int tracked_pipe(const ExecWords& words) {
  constexpr char kStart[] = "resource_tracker import main";
  constexpr char kCall[] = "main(";
  for (std::size_t i = 1; i < words.count(); ++i) {
    const char* const start = std::strstr(words.word(i), kStart);
    const char* const at = start == nullptr ? nullptr : std::strstr(start, kCall);
    if (at != nullptr) {
      return static_cast<int>(std::strtol(at + std::strlen(kCall), nullptr, 10));
    }
  }
  return -1;
}

bool is_list_of_libraries(const ExecWords& words) {
  return (std::strcmp(words.path(), "/sbin/ldconfig") == 0 ||
          std::strcmp(words.path(), "/usr/sbin/ldconfig") == 0) &&
         words.count() == 2 && std::strcmp(words.word(1), "-p") == 0;
}

bool has_ended(ssize_t count) {
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace

void StandIns::look_at(const Descriptor& listener, const Notification& call) {
  const ExecWords words(memory_, call);
  if (is_list_of_libraries(words)) {
    list_libraries(listener, call);
  } else if (const int pipe = tracked_pipe(words); pipe >= 0) {
    track(listener, call, pipe);
  }
}

Descriptor StandIns::pipe_of(const Notification& call, int number, int access) const {
  char path[48];
  (void)std::snprintf(path, sizeof(path), "%u/fd/%d", call.caller(), number);
  struct stat status {};
  // Of anything else, no open: it might be a file that others see it by.
  if (fstatat(proc_.get(), path, &status, 0) != 0 || !S_ISFIFO(status.st_mode)) {
    return {};
  }
  Descriptor pipe(openat(proc_.get(), path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return pipe.valid() && fstat(pipe.get(), &status) == 0 && S_ISFIFO(status.st_mode)
             ? std::move(pipe)
             : Descriptor();
}

StandIns::Pipe* StandIns::unused() {
  for (std::size_t i = 0; i < kMost; ++i) {
    if (!pipes_[i].end.valid()) {
      count_ = std::max(count_, i + 1);
      return &pipes_[i];
    }
  }
  return nullptr;
}

void StandIns::track(const Descriptor& listener, const Notification& call, int number) {
  end_caller(listener, call, {pipe_of(call, number, O_RDONLY), true, {}});
}

void StandIns::list_libraries(const Descriptor& listener, const Notification& call) {
  Descriptor end = pipe_of(call, STDOUT_FILENO, O_WRONLY);
  std::string list = end.valid() ? library_list() : std::string();
  if (!list.empty()) {
    end_caller(listener, call, {std::move(end), false, std::move(list)});
  }
}

void StandIns::end_caller(const Descriptor& listener, const Notification& call, Pipe pipe) {
  Pipe* const place = unused();
  const Descriptor caller(
      static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(call.caller()), 0)));
  // Else the number may be another's by now.
  if (place == nullptr || !pipe.end.valid() || !caller.valid() || !call.is_valid(listener)) {
    return;
  }
  *place = std::move(pipe);
  if (!place->is_read) {
    write_rest(*place);
  }
  // Not refused, which would be told to who has started it.
  (void)sys_pidfd_send_signal(caller.get(), SIGKILL);  // ESRCH: it has ended
}

void StandIns::write_rest(Pipe& pipe) {
  const ssize_t count = ::write(pipe.end.get(), pipe.rest.data(), pipe.rest.size());
  if (count > 0) {
    pipe.rest.erase(0, static_cast<std::size_t>(count));
  }
  if (pipe.rest.empty() || has_ended(count)) {
    pipe = {};
  }
}

std::size_t StandIns::wait_for(pollfd* events) const {
  for (std::size_t i = 0; i < count_; ++i) {
    // Those that are -1 are left out (poll(2)).
    events[i] = {pipes_[i].end.get(), static_cast<short>(pipes_[i].is_read ? POLLIN : POLLOUT), 0};
  }
  return count_;
}

void StandIns::go_on(const pollfd* events, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Pipe& pipe = pipes_[i];
    if (events[i].revents == 0 || !pipe.end.valid()) {
      continue;
    }
    if (!pipe.is_read) {
      write_rest(pipe);
      continue;
    }
    char nothing[4096];
    if (has_ended(::read(pipe.end.get(), nothing, sizeof(nothing)))) {
      pipe = {};
    }
  }
}

}  // namespace codejail
