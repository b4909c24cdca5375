// The jail's own root: a tmpfs that holds only what the spec lists, entered by pivot_root.
#pragma once

#include "core/descriptor.h"
#include "core/mounts.h"
#include "core/spec.h"

namespace codejail {

// Builds the root, enters it and cuts the host's tree off. Afterwards "/" is the jail's.
// `tmp_directory` receives a descriptor of the writable directory.
Status enter_own_root(const Spec& spec, HostSources& sources, Descriptor& tmp_directory);

// In a mount namespace that is a copy of a template's: mounts what belongs to one cell alone.
Status enter_cell_root(const Spec& spec, Descriptor& tmp_directory);

}  // namespace codejail
