#include "apparmor.h"

#include <fcntl.h>

#include <cstdio>
#include <cstring>

namespace codejail {

Status open_apparmor(Descriptor& attribute) {
  attribute.reset(open("/proc/thread-self/attr/apparmor/current", O_RDWR | O_CLOEXEC));
  if (!attribute.valid() && errno == ENOENT) {
    // Before Linux 5.8 AppArmor had only the attribute that all LSMs share.
    attribute.reset(open("/proc/thread-self/attr/current", O_RDWR | O_CLOEXEC));
  }
  return attribute.valid() ? Status::success() : Status::failure(Step::kOpenAppArmor, errno);
}

bool label_enforces(const char* label, const char* profile) {
  constexpr char kMode[] = " (enforce)";
  constexpr char kStack[] = "//&";
  const char* mode = std::strstr(label, kMode);
  if (mode == nullptr || mode[sizeof(kMode) - 1] != '\0') {
    return false;
  }
  const std::size_t wanted = std::strlen(profile);
  const char* part = label;
  while (part < mode) {
    const char* next = std::strstr(part, kStack);
    const char* end = next != nullptr && next < mode ? next : mode;
    if (static_cast<std::size_t>(end - part) == wanted && std::memcmp(part, profile, wanted) == 0) {
      return true;
    }
    part = end == mode ? mode : end + sizeof(kStack) - 1;
  }
  return false;
}

Status change_apparmor_profile(const Descriptor& attribute, const char* profile, char* label,
                               std::size_t size) {
  char command[512];
  const int length = std::snprintf(command, sizeof(command), "changeprofile %s", profile);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(command)) {
    return Status::failure(Step::kAppArmor, ENAMETOOLONG, profile);
  }
  if (write(attribute.get(), command, static_cast<std::size_t>(length)) != length) {
    return Status::failure(Step::kAppArmor, errno, profile);
  }
  const ssize_t count = pread(attribute.get(), label, size - 1, 0);
  if (count < 0) {
    return Status::failure(Step::kAppArmor, errno, "the label can't be read back");
  }
  label[count] = '\0';
  label[std::strcspn(label, "\n")] = '\0';
  if (!label_enforces(label, profile)) {
    return Status::failure(Step::kAppArmor, EACCES, label);
  }
  return Status::success();
}

}  // namespace codejail
