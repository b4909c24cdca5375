#include "launcher/process_stat.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/process_memory.h"

namespace codejail {
namespace {

// By their numbers in proc(5).
enum Field {
  kState = 3,
  kParent,
  kGroup,
  kUser = 14,
  kSystem,
  kUserWaited,
  kSystemWaited,
  kThreads = 20,
  kStarted = 22
};

}  // namespace

bool parse_process_stat(const char* text, ProcessStat& stat) {
  static const auto kTickUs = static_cast<std::uint64_t>(1000000 / sysconf(_SC_CLK_TCK));
  stat = {};
  // The second field is a name in parentheses, of the program's own choice.
  const char* at = std::strrchr(text, ')');
  for (int field = kState; at != nullptr && field <= kStarted; ++field) {
    at = std::strchr(at + 1, ' ');
    if (at == nullptr) {
      return false;
    }
    switch (field) {
      case kState:
        stat.is_dead = at[1] == 'Z' || at[1] == 'X';
        stat.is_stopped = at[1] == 'T';
        break;
      case kParent:
        stat.parent = static_cast<pid_t>(std::strtol(at, nullptr, 10));
        break;
      case kGroup:
        stat.group = static_cast<pid_t>(std::strtol(at, nullptr, 10));
        break;
      case kUser:
        stat.user_ticks = std::strtoull(at, nullptr, 10);
        break;
      case kSystem:
        stat.system_ticks = std::strtoull(at, nullptr, 10);
        break;
      case kUserWaited:
      case kSystemWaited:
        stat.waited_us += std::strtoull(at, nullptr, 10) * kTickUs;
        break;
      case kThreads:
        stat.threads = static_cast<unsigned>(std::strtoul(at, nullptr, 10));
        // The first thread counts until the process is waited for.
        stat.is_leaderless = stat.is_dead && stat.threads > 1;
        stat.is_dead = stat.is_dead && !stat.is_leaderless;
        break;
      case kStarted:
        stat.started_ticks = std::strtoull(at, nullptr, 10);
        break;
      default:
        break;
    }
  }
  return at != nullptr;
}

bool read_process_stat(int proc, pid_t process, ProcessStat& stat) {
  char path[32];
  char text[1024];
  (void)std::snprintf(path, sizeof(path), "%d/stat", process);
  return read_text(proc, path, text, sizeof(text)) && parse_process_stat(text, stat);
}

}  // namespace codejail
