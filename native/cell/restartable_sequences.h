// What libc has told the kernel of this thread (rseq(2)): it writes there which processor the
// thread runs on. Nothing where libc does not do so (before glibc 2.35).
#pragma once

namespace codejail {

// For a process that will share its memory with another one.
void leave_restartable_sequences();

// A child of a process that shares its parent's memory starts without them (include/linux/rseq.h,
// rseq_fork), but with what libc last read there: a processor that it may long have left.
void join_restartable_sequences();

}  // namespace codejail
