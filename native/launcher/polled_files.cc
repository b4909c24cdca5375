#include "launcher/polled_files.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/descriptor.h"
#include "launcher/tasks.h"

namespace codejail {
namespace {

// Who reads, writes or splices.
constexpr std::uint64_t kOfAnyCall = 2;

// Which of the arguments says how many.
int counting_argument(long number) {
  switch (number) {
#if defined(SYS_poll)
    case SYS_poll:
#endif
    case SYS_ppoll:
      return 1;
#if defined(SYS_select)
    case SYS_select:
#endif
    case SYS_pselect6:
      return 0;
    default:
      return -1;
  }
}

// proc(5), /proc/[pid]/syscall: "7 0x7ffe… 0x3 …", the number and the arguments in base 16, or -1
// in no system call.
std::uint64_t held_by(const char* text, std::uint64_t most_files) {
  char* at = nullptr;
  const long number = std::strtol(text, &at, 10);
  if (number < 0) {
    return 0;
  }
  const int counting = counting_argument(number);
  if (counting < 0) {
    return kOfAnyCall;
  }
  std::uint64_t value = 0;
  for (int i = 0; i <= counting; ++i) {
    value = std::strtoull(at, &at, 16);
  }
  // Both are ints, or bounded by one.
  return std::min<std::uint64_t>(static_cast<std::uint32_t>(value), most_files);
}

// One that runs waits for nothing, or is about to: then it is seen the next time.
std::uint64_t held_by(const Task& task, std::uint64_t most_files) {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%.20s/syscall", task.name);
  const Descriptor file(openat(task.directory, path, O_RDONLY | O_CLOEXEC));
  char text[256];
  const ssize_t length = file.valid() ? read(file.get(), text, sizeof(text) - 1) : -1;
  if (length <= 0) {
    return length == 0 || is_of_ended_task(errno) ? 0 : most_files;
  }
  text[length] = '\0';
  return text[0] == 'r' ? 0 : held_by(text, most_files);
}

}  // namespace

std::uint64_t count_polled_files(int proc, std::uint64_t most_files) {
  std::uint64_t count = 0;
  (void)for_each_task(proc, [&count, most_files](const Task& task) {
    // Nobody else closes what one without siblings waits for.
    count += task.has_siblings ? held_by(task, most_files) : 0;
    return true;
  });
  return count;
}

}  // namespace codejail
