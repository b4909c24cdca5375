#include "cell/restartable_sequences.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): glibc's own names.
extern const std::ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
// NOLINTEND(bugprone-reserved-identifier)
}

namespace codejail {
namespace {

void tell_kernel([[maybe_unused]] int flags) {
#if defined(__x86_64__) && defined(SYS_rseq)
  constexpr unsigned kSignature = 0x53053053;
  if (&__rseq_offset != nullptr && &__rseq_size != nullptr && __rseq_size > 0) {
    char* area = static_cast<char*>(__builtin_thread_pointer()) + __rseq_offset;
    constexpr unsigned kFirstSize = 32;
    // EINVAL: it is not registered, as glibc can be told (glibc.pthread.rseq).
    (void)syscall(SYS_rseq, area, __rseq_size < kFirstSize ? kFirstSize : __rseq_size, flags,
                  kSignature);
  }
#endif
}

}  // namespace

void leave_restartable_sequences() {
  constexpr int kUnregister = 1;
  tell_kernel(kUnregister);
}

void join_restartable_sequences() {
  tell_kernel(0);
}

}  // namespace codejail
