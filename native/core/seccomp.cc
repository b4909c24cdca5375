#include "core/seccomp.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

#include "core/seccomp_calls.h"
#include "core/seccomp_checks.h"
#include "core/seccomp_rules.h"
#include "core/seccomp_table.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t kX32Bit = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "codejail supports x86-64 and arm64"
#endif

void answer_by_lists(Calls& calls) {
  for (const int call : kAllowed) {
    calls.answer(call, kAllow);
  }
  for (const int call : kAnswered) {
    calls.answer(call, refuse(0));
  }
  for (const int call : kRefused) {
    calls.answer(call, refuse(EPERM));
  }
  for (const int call : kDenied) {
    calls.answer(call, refuse(EACCES));
  }
}

// Where the filter begins. The search is what was written last: a load goes on with that. Foreign
// calls are answered as by a kernel without them: to end the program would be a line in the host's
// log for each (kernel/seccomp.c, seccomp_log).
void check_architecture(Filter& filter, Calls& calls) {
  const Filter::Place foreign = filter.answer(refuse(ENOSYS));
  Filter::Place search = calls.search(filter);
#if defined(__x86_64__)
  // x32 shares the architecture's number and differs in this bit (seccomp(2), "Caveats").
  search = filter.if_any_bit(kX32Bit, foreign, search);
#endif
  (void)search;
  const Filter::Place number = filter.load(offsetof(seccomp_data, nr));
  filter.if_equal(kArchitecture, number, foreign);
  filter.load(offsetof(seccomp_data, arch));
}

}  // namespace

bool make_seccomp_filter(const FilterPolicy& policy, const Spec& spec, Filter& filter) {
  Calls calls(refuse(ENOSYS));
  answer_by_lists(calls);
  restrict_exec(calls, policy);
  restrict_clone(filter, calls);
  count_calls(filter, calls, policy.count);
  ask_for_sessions(filter, calls, policy);
  if (spec.has(kNoUnixSockets)) {
    restrict_sockets(filter, calls);
  }
  if (!spec.has(kOwnRoot)) {
    restrict_names(calls);
  }
  restrict_memory(filter, calls, policy);
  restrict_msync(filter, calls);
  restrict_file_flags(filter, calls);
  restrict_locks(filter, calls, policy);
  restrict_landlock(calls, policy.exec, spec);
  if (spec.has(kNoTruncation)) {
    deny_truncation(filter, calls);
  }
  protect_others(filter, calls, policy);
  keep_core_limit(filter, calls);
  tell_attempts(filter, calls, policy);
  check_arguments(filter, calls, policy);
  check_architecture(filter, calls);
  return !filter.overflown();
}

Status install_seccomp_filter(const FilterPolicy& policy, const Spec& spec, Descriptor& listener) {
  Filter filter;
  if (!make_seccomp_filter(policy, spec, filter)) {
    return Status::failure(Step::kSeccomp, E2BIG);
  }
  sock_fprog program = filter.program();
  const unsigned flags = policy.has_listener() ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result < 0) {
    return Status::failure(Step::kSeccomp, errno);
  }
  if (policy.has_listener()) {
    listener.reset(static_cast<int>(result));
  }
  return Status::success();
}

}  // namespace codejail
