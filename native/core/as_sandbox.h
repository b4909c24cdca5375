// What this process makes meanwhile belongs to the sandbox. Not by chown, which takes CAP_CHOWN: a
// server with the other capabilities need not have it.
#pragma once

#include <sys/fsuid.h>

#include "core/spec.h"

namespace codejail {

class AsSandbox {
 public:
  explicit AsSandbox(const SpecHeader& header)
      : gid_(static_cast<gid_t>(setfsgid(header.gid))),
        uid_(static_cast<uid_t>(setfsuid(header.uid))) {
    // They tell no error (setfsuid(2), "BUGS").
    constexpr auto kAsk = static_cast<uid_t>(-1);
    holds_ = static_cast<uid_t>(setfsuid(kAsk)) == header.uid &&
             static_cast<gid_t>(setfsgid(kAsk)) == header.gid;
  }
  ~AsSandbox() {
    setfsuid(uid_);
    setfsgid(gid_);
  }
  AsSandbox(const AsSandbox&) = delete;
  AsSandbox& operator=(const AsSandbox&) = delete;
  [[nodiscard]] bool holds() const { return holds_; }

 private:
  gid_t gid_;
  uid_t uid_;
  bool holds_ = false;
};

}  // namespace codejail
