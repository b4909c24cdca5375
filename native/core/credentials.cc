#include "core/credentials.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#include "core/syscalls.h"

namespace codejail {
namespace {

// Up to the last one that this kernel knows, which may be newer than the headers: past that one the
// answer is EINVAL. So it is too where somebody else's filter answers; hence `last`, where it is
// known.
Status drop_bounding_set(std::int32_t last) {
  for (long capability = 0;; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return errno == EINVAL && capability > 0 && capability > last
                 ? Status::success()
                 : Status::failure(Step::kCapabilities, errno, "the bounding set");
    }
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 0) {
      return Status::failure(Step::kCapabilities, EPERM,
                             "a capability is left in the bounding set");
    }
  }
}

struct Ids {
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;

  [[nodiscard]] bool operator==(const Ids& other) const {
    return real == other.real && effective == other.effective && saved == other.saved;
  }
};

Status set_ids(const Ids& uids, gid_t gid) {
  if (syscall(SYS_setresgid, gid, gid, gid) != 0 ||
      syscall(SYS_setresuid, uids.real, uids.effective, uids.saved) != 0) {
    return Status::failure(Step::kUserId, errno);
  }
  Ids read_uids;
  Ids read_gids;
  if (syscall(SYS_getresuid, &read_uids.real, &read_uids.effective, &read_uids.saved) != 0 ||
      syscall(SYS_getresgid, &read_gids.real, &read_gids.effective, &read_gids.saved) != 0) {
    return Status::failure(Step::kUserId, errno);
  }
  if (!(read_uids == uids) || !(read_gids == Ids{gid, gid, gid})) {
    return Status::failure(Step::kUserId, EPERM, "the ids that were read back differ");
  }
  return Status::success();
}

Status change_ids(const Spec& spec) {
  const uid_t uid = spec.header().uid;
  if (spec.has(kDropGroups) && syscall(SYS_setgroups, 0, nullptr) != 0) {
    return Status::failure(Step::kGroups, errno);
  }
  // kill(2) lets a sender reach whoever has its uid as real or saved one. With only its effective
  // uid that of the sandbox, the launcher can end the program, and the program can't end it.
  const uid_t other = spec.has(kReaperByUid) ? spec.header().launcher_uid : uid;
  return set_ids({other, uid, other}, spec.header().gid);
}

}  // namespace

Status empty_capability_sets() {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Status::failure(Step::kCapabilities, errno, "the ambient set");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capset, &header, data) != 0) {
    return Status::failure(Step::kCapabilities, errno, "the process's sets");
  }
  __user_cap_data_struct read_back[2] = {};
  if (syscall(SYS_capget, &header, read_back) != 0) {
    return Status::failure(Step::kCapabilities, errno, "the process's sets");
  }
  for (const auto& set : read_back) {
    if (set.effective != 0 || set.permitted != 0 || set.inheritable != 0) {
      return Status::failure(Step::kCapabilities, EPERM, "a capability is left");
    }
  }
  return Status::success();
}

Status drop_credentials(const Spec& spec) {
  // Locked, so that no later exec or set*id of uid 0 brings a capability back (capabilities(7)).
  constexpr unsigned long kSecurebits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                        SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
                                        SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
                                        SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
  if (prctl(PR_SET_SECUREBITS, kSecurebits, 0, 0, 0) != 0) {
    return Status::failure(Step::kCapabilities, errno, "securebits");
  }
  if (Status status = drop_bounding_set(spec.header().last_capability); !status.ok()) {
    return status;
  }
  if (Status status = change_ids(spec); !status.ok()) {
    return status;
  }
  return empty_capability_sets();
}

Status become_sandbox_user(const Spec& spec) {
  const uid_t uid = spec.header().uid;
  return set_ids({uid, uid, uid}, spec.header().gid);
}

Status become_namespace_root(const Spec& spec) {
  if (spec.has(kDropGroups) && syscall(SYS_setgroups, 0, nullptr) != 0) {
    return Status::failure(Step::kGroups, errno);
  }
  return set_ids({0, 0, 0}, 0);
}

Status become_undumpable() {
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
             ? Status::success()
             : Status::failure(Step::kUserId, errno, "PR_SET_DUMPABLE");
}

Status set_no_new_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Status::failure(Step::kNoNewPrivileges, errno);
  }
  return Status::success();
}

}  // namespace codejail
