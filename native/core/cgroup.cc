#include "core/cgroup.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/descriptor.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

bool read_start(int file, char* text, std::size_t size) {
  const ssize_t count = pread(file, text, size - 1, 0);
  if (count <= 0) {
    return false;
  }
  text[count] = '\0';
  return true;
}

}  // namespace

Status join_cgroup(int procs) {
  // 0 stands for the writer (cgroups(7)).
  return write(procs, "0", 1) == 1 ? Status::success()
                                   : Status::failure(Step::kEnterCgroup, errno, "cgroup.procs");
}

Status hide_outer_cgroups(const Spec& spec) {
  // A cgroup namespace made by the clone itself would have the server's cgroup as its root, not the
  // one that the child is put into (kernel/cgroup/namespace.c, copy_cgroup_ns).
  if (spec.header().descriptors[kCpuStatFd] >= 0 &&
      (spec.header().namespaces & CLONE_NEWCGROUP) != 0 && !spec.has(kLauncherMakesNamespaces) &&
      unshare(CLONE_NEWCGROUP) != 0) {
    return Status::failure(Step::kEnterCgroup, errno, "the cgroup namespace");
  }
  return Status::success();
}

Status wall_memory(const SpecHeader& header) {
  const Descriptor current(header.descriptors[kMemoryCurrentFd]);
  const Descriptor maximum(header.descriptors[kMemoryMaxFd]);
  if (!maximum.valid() || header.memory_wall_bytes == kUnlimited) {
    return Status::success();
  }
  char text[32];
  if (!read_start(current.get(), text, sizeof(text))) {
    return Status::failure(Step::kResourceLimits, errno, "memory.current");
  }
  const int length = std::snprintf(
      text, sizeof(text), "%llu",
      std::strtoull(text, nullptr, 10) + static_cast<unsigned long long>(header.memory_wall_bytes));
  if (write(maximum.get(), text, static_cast<std::size_t>(length)) != length) {
    return Status::failure(Step::kResourceLimits, errno, "memory.max");
  }
  return Status::success();
}

std::uint64_t cgroup_cpu_us(int cpu_stat) {
  constexpr char kUsage[] = "usage_usec ";
  char text[512];
  if (cpu_stat < 0 || !read_start(cpu_stat, text, sizeof(text))) {
    return 0;
  }
  const char* at = std::strstr(text, kUsage);
  return at == nullptr ? 0 : std::strtoull(at + sizeof(kUsage) - 1, nullptr, 10);
}

}  // namespace codejail
