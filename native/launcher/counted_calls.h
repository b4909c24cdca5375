// System calls that make what the kernel keeps and no limit counts. The filter puts them to PID 1,
// which lets the kernel go on with them while there is room, and else answers as the kernel does
// when it has no more. They are rare in ordinary programs; what each takes of PID 1's CPU is the
// jail's.
#pragma once

#include "core/descriptor.h"
#include "core/launcher_key.h"
#include "core/spec.h"
#include "launcher/allocations.h"
#include "launcher/epolls.h"
#include "launcher/locks.h"
#include "launcher/notification.h"
#include "launcher/sockets.h"
#include "launcher/stand_ins.h"

namespace codejail {

class CountedCalls {
 public:
  // Opens /proc while no program runs that could bar the way to it. `tmp`, which outlives it: the
  // jail's writable directory. `key`: its own, of the filter that it is under.
  CountedCalls(const SpecHeader& header, const Descriptor& tmp, const LauncherKey& key);

  // Makes ahead what this process can't make once it is under a filter that asks: of a jail whose
  // launcher is under its program's. Where there is no room for it, the program gets none.
  void prepare() { (void)epolls_.make_all(); }

  // Answers a call of the list (core/seccomp_rules.cc, count_calls), any other one ENOSYS. False
  // with errno where the caller could not be told.
  bool answer(const Descriptor& listener, const Notification& call);

  [[nodiscard]] const Allocations& allocations() const { return allocations_; }
  [[nodiscard]] Allocations& allocations() { return allocations_; }

  [[nodiscard]] const Descriptor& proc() const { return proc_; }

  // Calls that wait for a lock are to be answered later: every few milliseconds.
  [[nodiscard]] bool has_waiters() const { return locks_.has_waiters(); }
  [[nodiscard]] bool try_again(const Descriptor& listener) { return locks_.try_again(listener); }

  // For an exec, which whoever has the listener refuses.
  [[nodiscard]] StandIns& stand_ins() { return stand_ins_; }

 private:
  bool lend_epoll(const Descriptor& listener, const Notification& call);

  Descriptor proc_;
  Allocations allocations_;
  Epolls epolls_;
  Sockets sockets_;
  Locks locks_;
  StandIns stand_ins_;
};

}  // namespace codejail
