#include "core/id_map.h"

#include <fcntl.h>

#include <cstdio>
#include <cstring>

#include "core/descriptor.h"

namespace codejail {
namespace {

Status write_file(const char* path, const char* text) {
  Descriptor file(open(path, O_WRONLY | O_CLOEXEC));
  const auto length = static_cast<ssize_t>(std::strlen(text));
  // The kernel takes a map in one write or not at all.
  if (!file.valid() || write(file.get(), text, static_cast<std::size_t>(length)) != length) {
    return Status::failure(Step::kIdMap, errno,
                           std::strstr(path, "uid_map") != nullptr   ? "uid_map"
                           : std::strstr(path, "gid_map") != nullptr ? "gid_map"
                                                                     : "setgroups");
  }
  return Status::success();
}

}  // namespace

Status map_own_id(const SpecHeader& header) {
  // CVE-2014-8989: without "deny" first, the kernel refuses an unprivileged gid map.
  if (Status status = write_file("/proc/self/setgroups", "deny"); !status.ok()) {
    return status;
  }
  char text[64];
  (void)std::snprintf(text, sizeof(text), "%u %u 1\n", header.uid, header.outer_uid);
  if (Status status = write_file("/proc/self/uid_map", text); !status.ok()) {
    return status;
  }
  (void)std::snprintf(text, sizeof(text), "%u %u 1\n", header.gid, header.outer_gid);
  return write_file("/proc/self/gid_map", text);
}

Status map_one_id(const SpecHeader& header, pid_t process) {
  char path[64];
  char text[64];
  (void)std::snprintf(path, sizeof(path), "/proc/%d/uid_map", process);
  (void)std::snprintf(text, sizeof(text), "%u %u 1\n", header.uid, header.outer_uid);
  if (Status status = write_file(path, text); !status.ok()) {
    return status;
  }
  (void)std::snprintf(path, sizeof(path), "/proc/%d/gid_map", process);
  (void)std::snprintf(text, sizeof(text), "%u %u 1\n", header.gid, header.outer_gid);
  return write_file(path, text);
}

Status map_sandbox_id(const SpecHeader& header, pid_t process) {
  char path[64];
  char text[96];
  (void)std::snprintf(path, sizeof(path), "/proc/%d/uid_map", process);
  (void)std::snprintf(text, sizeof(text), "0 0 1\n%u %u 1\n", header.uid, header.outer_uid);
  if (Status status = write_file(path, text); !status.ok()) {
    return status;
  }
  (void)std::snprintf(path, sizeof(path), "/proc/%d/gid_map", process);
  (void)std::snprintf(text, sizeof(text), "0 0 1\n%u %u 1\n", header.gid, header.outer_gid);
  return write_file(path, text);
}

}  // namespace codejail
