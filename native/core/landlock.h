// Landlock: a second lock on files, TCP, abstract sockets and signals, where the kernel has it.
#pragma once

#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// The kernel's Landlock ABI version, 0 where there is none (landlock(7)). Fails where the kernel
// does not say whether it has it.
Status landlock_abi(int& version);
// Restricts this process to what the spec's records allow. Needs no_new_privs.
Status restrict_with_landlock(const Spec& spec);
// The same in two: opens what is allowed, and restricts this process later.
Status prepare_landlock(const Spec& spec, Descriptor& ruleset);
Status restrict_with_landlock(const Descriptor& ruleset);
// A domain that differs from that of its maker in nothing but that it is another one: who is in it
// can't look into or signal processes that are not (landlock(7), "Ptrace restrictions", "IPC
// scoping"). Where there is no Landlock, `ruleset` stays empty.
Status prepare_apart_domain(Descriptor& ruleset);

}  // namespace codejail
