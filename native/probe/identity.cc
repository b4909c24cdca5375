#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {
namespace {

constexpr gid_t kOverflowGid = 65534;

bool own_user_namespace() {
  char own[64] = {};
  return readlink("/proc/self/ns/user", own, sizeof(own) - 1) > 0 &&
         *expected("user_namespace") != '\0' && std::strcmp(own, expected("user_namespace")) != 0;
}

void check_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2] = {};
  bool none = syscall(SYS_capget, &header, sets) == 0;
  for (const auto& set : sets) {
    none = none && set.effective == 0 && set.permitted == 0 && set.inheritable == 0;
  }
  report("identity", "hold a capability", none);
  // Up to where the kernel knows of no more, however new it is.
  int capability = 0;
  int held = 0;
  while ((held = prctl(PR_CAPBSET_READ, capability, 0, 0, 0)) == 0) {
    ++capability;
  }
  const bool is_last = held < 0 && errno == EINVAL && capability > expected_number("last_cap", 0);
  report("identity", "regain a capability by exec", is_last);
  report("identity", "be without no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

void check_groups() {
  gid_t groups[64];
  const int count = getgroups(64, groups);
  bool none = count >= 0;
  for (int i = 0; i < count; ++i) {
    // An unprivileged caller's groups can't be given up (user_namespaces(7)): they are unmapped.
    none = none && own_user_namespace() && (groups[i] == kOverflowGid || groups[i] == getgid());
  }
  report("identity", "keep a group of the caller", none);
}

}  // namespace

void check_identity() {
  char seen[32];
  (void)std::snprintf(seen, sizeof(seen), "uid %u", getuid());
  report("identity", "act as the caller's user",
         own_user_namespace() ||
             (getuid() != 0 && static_cast<long>(getuid()) != expected_number("server_uid", -1)),
         seen);
  check_capabilities();
  check_groups();
  report_refused("identity", "become root",
                 getuid() == 0    ? 0
                 : setuid(0) == 0 ? 0
                                  : (errno = EPERM, -1));
}

}  // namespace codejail_probe
