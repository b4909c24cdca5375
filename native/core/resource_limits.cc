#include "core/resource_limits.h"

#include <sys/resource.h>
#include <time.h>

#include "core/microseconds.h"

namespace codejail {
namespace {

// Of a launcher: as many as it needs for what it counts and keeps, and no more.
constexpr rlim_t kOfLauncher = 128;

// A limit may be lowered by anyone, raised by nobody here: the caller's own hard limit stays.
Status lower(decltype(RLIMIT_CPU) resource, rlim_t soft, rlim_t hard, const char* name) {
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

Status lower_if_set(decltype(RLIMIT_CPU) resource, std::uint64_t value, const char* name) {
  return value == kUnlimited ? Status::success() : lower(resource, value, value, name);
}

}  // namespace

void claim_core_limit() {
  constexpr rlimit kOne{1, 1};
  (void)setrlimit(RLIMIT_CORE, &kOne);
}

Status limit_jail(const SpecHeader& header) {
  struct Fixed {
    decltype(RLIMIT_CPU) resource;
    rlim_t value;
    const char* name;
  };
  const Fixed fixed[] = {
      // Not 0: a core pattern that is a pipe is refused at exactly 1 (fs/coredump.c).
      {RLIMIT_CORE, 1, "RLIMIT_CORE"},
      {RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK"},
      {RLIMIT_MSGQUEUE, 0, "RLIMIT_MSGQUEUE"},
      {RLIMIT_SIGPENDING, 256, "RLIMIT_SIGPENDING"},
      {RLIMIT_NICE, 0, "RLIMIT_NICE"},
      {RLIMIT_RTPRIO, 0, "RLIMIT_RTPRIO"},
      {RLIMIT_STACK, header.rlimit_stack, "RLIMIT_STACK"},
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
  return Status::success();
}

Status limit_descriptors(const SpecHeader& header) {
  return lower(RLIMIT_NOFILE, header.rlimit_nofile, header.rlimit_nofile, "RLIMIT_NOFILE");
}

Status limit_launcher_descriptors() {
  return lower(RLIMIT_NOFILE, kOfLauncher, kUnlimited, "RLIMIT_NOFILE");
}

Status limit_tasks(const SpecHeader& header) {
  return lower_if_set(RLIMIT_NPROC, header.rlimit_nproc, "RLIMIT_NPROC");
}

Status limit_program(const SpecHeader& header) {
  if (Status status = limit_descriptors(header); !status.ok()) {
    return status;
  }
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
  if (header.rlimit_cpu_seconds != kUnlimited) {
    // The kernel counts whole seconds, by ticks, and with what this process has used already: the
    // limit itself is that of the sums. Soft first, so that the kernel sends the telling SIGXCPU;
    // SIGKILL one second later (CodeJail).
    const rlim_t soft = header.rlimit_cpu_seconds + static_cast<rlim_t>(used.tv_sec) + 1;
    if (Status status = lower(RLIMIT_CPU, soft, soft + 1, "RLIMIT_CPU"); !status.ok()) {
      return status;
    }
  }
  if (Status status = lower_if_set(RLIMIT_AS, header.rlimit_as, "RLIMIT_AS"); !status.ok()) {
    return status;
  }
  if (Status status = lower_if_set(RLIMIT_DATA, header.rlimit_data, "RLIMIT_DATA"); !status.ok()) {
    return status;
  }
  return lower_if_set(RLIMIT_FSIZE, header.rlimit_fsize, "RLIMIT_FSIZE");
}

}  // namespace codejail
