// What the child is given, in memory files that nobody can change any more (memfd_create(2)).
#pragma once

#include "descriptor.h"
#include "spec_builder.h"
#include "status.h"

namespace codejail {

Status make_spec(SpawnPlan& plan, Descriptor& file);
// Its offset is at its beginning.
Status make_request(const SpawnPlan& plan, Descriptor& file);

}  // namespace codejail
