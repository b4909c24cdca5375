// What a jail sees of the host, and its /proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// What the binds of the spec show of the host, opened while the caller is still who may reach it.
class HostSources {
 public:
  Status open(const Spec& spec);
  // In the order of the spec's records.
  [[nodiscard]] const Descriptor& next() { return opened_[next_++]; }

 private:
  std::unique_ptr<Descriptor[]> opened_;
  std::size_t next_ = 0;
};

// Shows it, with what is mounted below it, at that path. `attributes`: of mount_setattr(2); what
// its own mount forbids stays forbidden.
Status bind_mount(const Descriptor& origin, const char* path, std::uint64_t attributes);

Status mount_proc(const char* path);

}  // namespace codejail
