// Starts the launcher of one jail from the server's process.
#pragma once

#include <sys/types.h>

#include "addon/jail_cgroup.h"
#include "addon/lease.h"
#include "addon/spec_builder.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// The child's ends of the pipes: closed in the server as soon as the child has its copies.
struct ChildEnds {
  Descriptor report;
  Descriptor standard_input;
  Descriptor standard_output;
  Descriptor standard_error;
  Descriptor result;
  Descriptor nursery;  // of a template
};

struct Spawned {
  Status status = Status::success();
  Descriptor pidfd;
  Lease lease;
  JailCgroup cgroup;
};

// Blocks until the launcher's exec, about a millisecond: never to be called on the event loop.
// Nothing of the calling process changes: no credential, no signal handler, no descriptor.
Spawned spawn_launcher(SpawnPlan& plan, ChildEnds ends);

}  // namespace codejail
