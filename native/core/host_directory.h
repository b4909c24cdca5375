// Without a mount namespace: the jail's directory on the host.
#pragma once

#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// Makes it with its files and with a tmp that belongs to the sandbox. The server removes it. As
// long as `lock` or `tmp_directory` is open somewhere, no sweep of any server does, also of one
// that sees no lease of this one's.
Status make_host_directory(const Spec& spec, Descriptor& tmp_directory, Descriptor& lock);

}  // namespace codejail
