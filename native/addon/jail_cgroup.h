// The cgroup of one jail (cgroup v2): a leaf below the server's own, made before the jail and
// removed after it.
#pragma once

#include <cstdint>
#include <string>

#include "core/descriptor.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

struct CgroupPlan {
  std::string parent;  // absolute; its controllers are enabled for what is below it
  std::string name;    // the jail's among those of the same parent
  std::uint64_t tasks = kUnlimited;
};

// What the kernel has to say of a jail that is dead.
struct CgroupEnd {
  bool over_limit = false;       // its own memory.max was reached, and not reclaimed
  std::uint64_t oom_kills = 0;   // processes killed for want of memory, its own or the host's
  std::uint64_t peak_bytes = 0;  // 0 where the kernel keeps none (before 5.19)
  std::uint64_t user_us = 0;     // with the set-up
  std::uint64_t system_us = 0;
};

class JailCgroup {
 public:
  JailCgroup() = default;
  JailCgroup(JailCgroup&&) = default;
  JailCgroup& operator=(JailCgroup&&) = default;
  JailCgroup(const JailCgroup&) = delete;
  JailCgroup& operator=(const JailCgroup&) = delete;
  ~JailCgroup();

  Status make(const CgroupPlan& plan);
  [[nodiscard]] bool valid() const { return directory_.valid(); }
  // For CLONE_INTO_CGROUP.
  [[nodiscard]] int directory() const { return directory_.get(); }
  // One of its files, close-on-exec.
  [[nodiscard]] Descriptor open_file(const char* name, int flags) const;
  [[nodiscard]] bool empty() const;
  // Every process in it, also those that are being forked (cgroups(7), cgroup.kill).
  void kill() const;
  // Kills what is left, waits for its end, reads the account and removes the cgroup. Blocks.
  CgroupEnd finish();

 private:
  [[nodiscard]] CgroupEnd read_account() const;
  void remove();

  Descriptor parent_;
  Descriptor directory_;
  std::string name_;
};

}  // namespace codejail
