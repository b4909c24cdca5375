#include "output/buffer.h"

#include <poll.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "output/python.h"

namespace codejail {
namespace {

// A pipe that can be written to takes so many without waiting (pipe(7), PIPE_BUF).
constexpr std::size_t kWithoutWaiting = 4096;

bool can_be_written(int descriptor, int milliseconds) {
  pollfd event{descriptor, POLLOUT, 0};
  return poll(&event, 1, milliseconds) == 1 && (event.revents & POLLOUT) != 0;
}

bool fail(int error) {
  errno = error;
  (void)PyErr_SetFromErrno(PyExc_OSError);  // always null
  return false;
}

// As Python's own files do after a write that was interrupted, once its signal handlers have run
// (PEP 475). Else there is an exception.
bool may_try_again(int error) {
  return error == EINTR ? PyErr_CheckSignals() == 0 : fail(error);
}

// All of it, waiting where it has to: how much was written, and 0 or the error's number.
std::size_t write_all(int descriptor, const char* bytes, std::size_t size, int& error) {
  std::size_t written = 0;
  error = 0;
  while (written < size && error == 0) {
    const ssize_t count = ::write(descriptor, bytes + written, size - written);
    if (count < 0) {
      error = errno;
    } else {
      written += static_cast<std::size_t>(count);
    }
  }
  return written;
}

}  // namespace

void OutputBuffer::unlock() {
  locked_.store(false, std::memory_order_release);
  // Not one exchange, which would cost as much as all the rest of a line. What comes between is
  // seen when the timer next goes off.
  if (is_late_.load(std::memory_order_relaxed) && is_late_.exchange(false)) {
    (void)deliver();  // what is left waits for the next occasion
  }
}

void OutputBuffer::lock_with_interpreter() {
  while (!try_lock()) {
    // Who has it may need the interpreter before it gives it back.
    constexpr timespec kPause{0, 50000};
    const WithoutInterpreter others_run;
    (void)nanosleep(&kPause, nullptr);  // it tries again in any case
  }
}

void OutputBuffer::drop_first(std::size_t size) {
  const std::size_t left = used() - size;
  if (size > 0 && left > 0) {
    std::memmove(bytes_, bytes_ + size, left);
  }
  used_.store(left, std::memory_order_release);
}

int OutputBuffer::write_held() {
  int error = 0;
  drop_first(write_all(descriptor_, bytes_, used(), error));
  return error;
}

bool OutputBuffer::flush() {
  for (;;) {
    lock_with_interpreter();
    int error = 0;
    if (is_empty()) {
      unlock();
      return true;
    }
    {
      const WithoutInterpreter others_run;
      error = write_held();
      unlock();
    }
    if (error == 0) {
      return true;
    }
    if (!may_try_again(error)) {
      return false;
    }
  }
}

void OutputBuffer::write_now() {
  lock_with_interpreter();
  const WithoutInterpreter others_run;
  (void)write_held();  // else it is held on to
  unlock();
}

bool OutputBuffer::put(const char* bytes, std::size_t size) {
  for (;;) {
    lock_with_interpreter();
    if (size <= kHeldBytes - used()) {
      std::memcpy(bytes_ + used(), bytes, size);
      used_.store(used() + size, std::memory_order_release);
      unlock();
      return true;
    }
    if (!is_empty()) {
      unlock();
      if (!flush()) {
        return false;
      }
      continue;
    }
    // More than is ever held.
    int error = 0;
    {
      const WithoutInterpreter others_run;
      const std::size_t written = write_all(descriptor_, bytes, size, error);
      bytes += written;
      size -= written;
      unlock();
    }
    if (error == 0) {
      return true;
    }
    if (!may_try_again(error)) {
      return false;
    }
  }
}

void OutputBuffer::write_without_waiting() {
  std::size_t written = 0;
  while (written < used() && can_be_written(descriptor_, 0)) {
    const std::size_t left = used() - written;
    const ssize_t count =
        ::write(descriptor_, bytes_ + written, left < kWithoutWaiting ? left : kWithoutWaiting);
    if (count <= 0) {
      break;
    }
    written += static_cast<std::size_t>(count);
  }
  drop_first(written);
}

bool OutputBuffer::deliver() {
  if (is_empty()) {
    return true;
  }
  if (!try_lock()) {
    is_late_ = true;
    // Its owner may have given it back before it could see that.
    if (!try_lock()) {
      return false;
    }
    is_late_ = false;
  }
  write_without_waiting();
  const bool none_is_left = is_empty();
  locked_.store(false, std::memory_order_release);
  return none_is_left;
}

void OutputBuffer::deliver_last(int milliseconds) {
  while (!deliver() && can_be_written(descriptor_, milliseconds) && !locked_) {
  }
}

void OutputBuffer::lock_for_fork() {
  while (!try_lock()) {
    (void)sched_yield();  // does not fail
  }
  write_without_waiting();
}

void OutputBuffer::unlock_in_parent() {
  unlock();
}

void OutputBuffer::empty_in_child() {
  used_ = 0;
  is_late_ = false;
  locked_ = false;
}

}  // namespace codejail
