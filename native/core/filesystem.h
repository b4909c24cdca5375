// The jail's own root: a tmpfs that holds only what the spec lists, entered by pivot_root.
#pragma once

#include "descriptor.h"
#include "spec.h"

namespace codejail {

// Builds the root, enters it and cuts the host's tree off. Afterwards "/" is the jail's.
// `tmp_directory` receives a descriptor of the writable directory.
Status enter_own_root(const Spec& spec, Descriptor& tmp_directory);

// Without a mount namespace: makes the jail's directory on the host, with its files and with a tmp
// that belongs to the sandbox. The server removes it.
Status make_host_directory(const Spec& spec, Descriptor& tmp_directory);

}  // namespace codejail
