// The pipes and channels between the server and a jail.
#pragma once

#include "addon/spawn.h"
#include "core/descriptor.h"

namespace codejail {

// The server's ends of a jail's pipes.
struct ParentEnds {
  Descriptor standard_input;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor result;
  Descriptor report;
};

// These return false, with errno, where there can't be one.

bool make_pipes(ParentEnds& parent, ChildEnds& child, bool has_result);
// `nonblocking_end`: 0 where that is the one that is read, 1 for the other.
bool make_pipe(Descriptor& read_end, Descriptor& write_end, int nonblocking_end);
// Of a template: where it is asked for cells.
bool make_nursery(Descriptor& server, Descriptor& child);

}  // namespace codejail
