#include "cell/confine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>

#include "cell/filter_messenger.h"
#include "core/apparmor.h"
#include "core/credentials.h"
#include "core/descriptor_numbers.h"
#include "core/landlock.h"
#include "core/processor_share.h"
#include "core/resource_limits.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

constexpr int kStandard = 3;
// The table's first ones keep their numbers.
constexpr int kLink = kCommonFds;
constexpr int kFirstOther = kLink + 1;

Status join_namespaces(const Descriptor (&received)[kCellFds]) {
  // The network first: it belongs to the template's user namespace, where this process has rights
  // until it leaves.
  if (received[kNetworkNamespaceFd].valid() &&
      setns(received[kNetworkNamespaceFd].get(), CLONE_NEWNET) != 0) {
    return Status::failure(Step::kJoinNamespaces, errno, "network");
  }
  if (setns(received[kUserNamespaceFd].get(), CLONE_NEWUSER) != 0) {
    return Status::failure(Step::kJoinNamespaces, errno, "user");
  }
  if (setns(received[kMountNamespaceFd].get(), CLONE_NEWNS) != 0) {
    return Status::failure(Step::kJoinNamespaces, errno, "mount");
  }
  return Status::success();
}

// Whatever else the template or a preloaded module had open is closed.
Status take_descriptors(Descriptor (&received)[kCellFds], Confined& confined) {
  int sources[kFirstOther];
  for (int i = 0; i < kLink; ++i) {
    sources[i] = received[i].get();
  }
  sources[kLink] = received[kLinkFd].get();
  if (Status status = number_descriptors(sources, kFirstOther, kStandard); !status.ok()) {
    return status;
  }
  for (Descriptor& descriptor : received) {
    // Their numbers may be the program's by now.
    (void)descriptor.release();
  }
  confined.report.reset(kReportFd);
  confined.link.reset(kLink);
  return sys_close_range(kFirstOther, ~0U, 0) == 0
             ? Status::success()
             : Status::failure(Step::kCloseDescriptors, errno);
}

}  // namespace

Status confine(const Spec& spec, Descriptor (&received)[kCellFds], Confined& confined) {
  if (Status status = join_namespaces(received); !status.ok()) {
    return status;
  }
  if (Status status = leave_process_group(); !status.ok()) {
    return status;
  }
  if (Status status = weigh_less(); !status.ok()) {
    return status;
  }
  const Record directory = spec.find(RecordKind::kWorkingDirectory);
  if (directory.header == nullptr || chdir(directory.path) != 0) {
    return Status::failure(Step::kWorkingDirectory, errno, directory.path);
  }
  if (Status status = take_descriptors(received, confined); !status.ok()) {
    return status;
  }
  if (Status status = limit_jail(spec.header()); !status.ok()) {
    return status;
  }
  if (Status status = drop_credentials(spec); !status.ok()) {
    return status;
  }
  // As after an exec: a program may look at its own files of /proc.
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0) {
    return Status::failure(Step::kUserId, errno, "PR_SET_DUMPABLE");
  }
  if (Status status = prepare_landlock(spec, confined.landlock); !status.ok()) {
    return status;
  }
  return spec.find(RecordKind::kAppArmorProfile).header == nullptr
             ? seal(spec, confined)
             : open_apparmor(confined.apparmor);
}

Status seal(const Spec& spec, Confined& confined) {
  if (confined.apparmor.valid()) {
    const char* profile = spec.find(RecordKind::kAppArmorProfile).data;
    if (Status status = change_apparmor_profile(confined.apparmor, profile, confined.label,
                                                sizeof(confined.label));
        !status.ok()) {
      return status;
    }
    confined.apparmor.reset();
  }
  if (Status status = set_no_new_privileges(); !status.ok()) {
    return status;
  }
  const Status installed = install_cell_filter(spec, confined.link);
  confined.link.reset();
  return installed;
}

}  // namespace codejail
