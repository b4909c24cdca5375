#include "core/resource_limits.h"

#include <sys/resource.h>
#include <time.h>

#include "core/microseconds.h"

namespace codejail {
namespace {

// Of a launcher: as many as it needs for what it counts and keeps, and no more.
constexpr rlim_t kOfLauncher = 128;

// A limit may be lowered by anyone, raised by nobody here: the caller's own hard limit stays.
Status lower(RlimitResource resource, rlim_t soft, rlim_t hard, const char* name) {
  rlimit current{};
  if (getrlimit(resource, &current) != 0) {
    return Status::failure(Step::kResourceLimits, errno, name);
  }
  rlimit wanted{};
  wanted.rlim_max = hard < current.rlim_max ? hard : current.rlim_max;
  wanted.rlim_cur = soft < wanted.rlim_max ? soft : wanted.rlim_max;
  if (setrlimit(resource, &wanted) != 0) {
    return Status::failure(Step::kResourceLimits, errno, name);
  }
  return Status::success();
}

// The kernel counts whole seconds, by ticks, and with what this process has used already: the limit
// itself is that of the sums. Soft first, so that the kernel sends the telling SIGXCPU; SIGKILL one
// second later (CodeJail).
Status lower_cpu(const Rlimit& limit, std::uint64_t seconds, const timespec& used) {
  const rlim_t soft = seconds + static_cast<rlim_t>(used.tv_sec) + 1;
  return lower(limit.resource, soft, soft + 1, limit.name);
}

// Those of the table that are of the jail, its tasks or its program.
Status lower_all(RlimitOf of, const Rlimits& values, const timespec& used) {
  for (const Rlimit& limit : kRlimits) {
    const std::uint64_t value = values[limit.resource];
    if (limit.of != of || (value == kUnlimited && !limit.is_raised)) {
      continue;
    }
    Status status = limit.resource == RLIMIT_CPU ? lower_cpu(limit, value, used)
                                                 : lower(limit.resource, value, value, limit.name);
    if (!status.ok()) {
      return status;
    }
  }
  return Status::success();
}

}  // namespace

void claim_core_limit() {
  constexpr rlimit kOne{1, 1};
  (void)setrlimit(RLIMIT_CORE, &kOne);
}

Status limit_jail(const SpecHeader& header) {
  struct Fixed {
    RlimitResource resource;
    rlim_t value;
    const char* name;
  };
  const Fixed fixed[] = {
      // Not 0: a core pattern that is a pipe is refused at exactly 1 (fs/coredump.c).
      {RLIMIT_CORE, 1, "RLIMIT_CORE"},         {RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK"},
      {RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE"}, {RLIMIT_SIGPENDING, 256, "RLIMIT_SIGPENDING"},
      {RLIMIT_NICE, 0, "RLIMIT_NICE"},         {RLIMIT_RTPRIO, 0, "RLIMIT_RTPRIO"},
  };
  for (const Fixed& limit : fixed) {
    if (limit.resource == RLIMIT_SIGPENDING && (header.flags & kTemplate) != 0) {
      // It would be the most that all of the user namespaces of its cells may have together
      // (kernel/ucount.c, set_userns_rlimit_max). Each cell sets its own.
      continue;
    }
    Status status = lower(limit.resource, limit.value, limit.value, limit.name);
    if (!status.ok()) {
      return status;
    }
  }
  return lower_all(RlimitOf::kJail, header.rlimits, {});
}

Status limit_descriptors(const SpecHeader& header) {
  const std::uint64_t most = header.rlimits[RLIMIT_NOFILE];
  return lower(RLIMIT_NOFILE, most, most, "RLIMIT_NOFILE");
}

Status limit_launcher_descriptors() {
  return lower(RLIMIT_NOFILE, kOfLauncher, kUnlimited, "RLIMIT_NOFILE");
}

Status limit_tasks(const SpecHeader& header) {
  return lower_all(RlimitOf::kTasks, header.rlimits, {});
}

Status limit_program(const SpecHeader& header) {
  timespec used{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) {
    return Status::failure(Step::kResourceLimits, errno, "clock_gettime");
  }
  // A word to the supervisor by a limit that Linux has not enforced since 2.4 (getrlimit(2)): see
  // UsageSampler. A program can lower it only, which counts against itself; so a template, whose
  // cells have more to say, leaves it.
  const std::uint64_t used_us = microseconds(used);
  if ((header.flags & kTemplate) == 0) {
    if (Status status = lower(RLIMIT_LOCKS, used_us, used_us, "RLIMIT_LOCKS"); !status.ok()) {
      return status;
    }
  }
  return lower_all(RlimitOf::kProgram, header.rlimits, used);
}

}  // namespace codejail
