#include "core/apparmor.h"

#include <fcntl.h>

#include <cstdio>
#include <cstring>

namespace codejail {

namespace {

Status open_attribute(const char* process, int access, Descriptor& attribute) {
  char path[64];
  (void)std::snprintf(path, sizeof(path), "/proc/%s/attr/apparmor/current", process);
  attribute.reset(open(path, access | O_CLOEXEC));
  if (!attribute.valid() && errno == ENOENT) {
    // Before Linux 5.8 AppArmor had only the attribute that all LSMs share.
    (void)std::snprintf(path, sizeof(path), "/proc/%s/attr/current", process);
    attribute.reset(open(path, access | O_CLOEXEC));
  }
  return attribute.valid() ? Status::success() : Status::failure(Step::kOpenAppArmor, errno);
}

}  // namespace

Status open_apparmor(Descriptor& attribute, int access) {
  return open_attribute("thread-self", access, attribute);
}

bool read_apparmor_label(const Descriptor& attribute, char* label, std::size_t size) {
  const ssize_t count = pread(attribute.get(), label, size - 1, 0);
  label[count < 0 ? 0 : count] = '\0';
  label[std::strcspn(label, "\n")] = '\0';
  return count > 0;
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

bool process_is_confined(pid_t process, const char* profile) {
  char label[256];
  char number[16];
  (void)std::snprintf(number, sizeof(number), "%d", process);
  Descriptor attribute;
  return open_attribute(number, O_RDONLY, attribute).ok() &&
         read_apparmor_label(attribute, label, sizeof(label)) && label_enforces(label, profile);
}

namespace {

// One command for the attribute file (Documentation/admin-guide/LSM/apparmor.rst; libapparmor,
// aa_change_profile(2) and aa_stack_profile(2)).
int request(const Descriptor& attribute, const char* verb, const char* profile) {
  char command[512];
  const int length = std::snprintf(command, sizeof(command), "%s %s", verb, profile);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(command)) {
    return ENAMETOOLONG;
  }
  return write(attribute.get(), command, static_cast<std::size_t>(length)) == length ? 0 : errno;
}

}  // namespace

Status change_apparmor_profile(const Descriptor& attribute, const char* profile, char* label,
                               std::size_t size) {
  int error = request(attribute, "changeprofile", profile);
  if (error == EACCES || error == EPERM) {
    // The caller is confined itself, without a rule for this change; or it has no_new_privs, under
    // which a confined task may only add restrictions (security/apparmor/domain.c,
    // aa_change_profile). Then both profiles together.
    error = request(attribute, "stack", profile);
  }
  if (error == EACCES || error == EPERM) {
    return Status::failure(Step::kAppArmor, error,
                           read_apparmor_label(attribute, label, size) ? label : profile);
  }
  if (error != 0) {
    return Status::failure(Step::kAppArmor, error, profile);
  }
  // Opened anew, in the jail's own /proc: a file of the host's has no path there, and a task that
  // was confined before is checked again for what it holds open.
  Descriptor own;
  if (Status status = open_apparmor(own, O_RDONLY); !status.ok()) {
    return Status::failure(Step::kAppArmorLabel, status.error(), profile);
  }
  if (!read_apparmor_label(own, label, size)) {
    return Status::failure(Step::kAppArmorLabel, errno, profile);
  }
  if (!label_enforces(label, profile)) {
    return Status::failure(Step::kAppArmorLabel, EACCES, label);
  }
  return Status::success();
}

}  // namespace codejail
