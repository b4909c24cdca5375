// What a program tries, for telling people why it failed: files it opens or makes, programs it
// runs, sockets. The filter puts these calls to PID 1, which looks whether they would fail and has
// the kernel make them: nothing is decided here, since another thread may change what was looked at
// (seccomp_unotify(2)).
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "core/descriptor.h"
#include "core/report.h"
#include "core/report_channel.h"
#include "launcher/notification.h"
#include "launcher/program_memory.h"

namespace codejail {

class Attempts {
 public:
  // `channel` and `proc` outlive it. `key`: by which this process may read its program's memory.
  Attempts(const ReportChannel& channel, const Descriptor& proc, std::uint32_t key)
      : channel_(channel), proc_(proc), memory_(proc, key) {}

  // Tells of the call if it fails, or would; `refused` is the errno that it is about to be
  // answered, 0 where the kernel answers.
  void look(const Notification& call, int refused);

 private:
  // As the caller gives it, and as this process reaches the same.
  struct Path {
    std::string given;
    std::string reached;
    bool is_known = false;
  };
  [[nodiscard]] Path path_of(std::uint32_t task, int directory, std::uint64_t address) const;
  void look_at_socket(const Notification& call, int refused);
  void tell(AttemptKind kind, int error, const std::string& what);

  const ReportChannel& channel_;
  const Descriptor& proc_;
  ProgramMemory memory_;
  std::set<std::string> told_;  // each once
  unsigned absent_ = 0;
};

}  // namespace codejail
