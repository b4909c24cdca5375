// What the child is given, in memfds that nobody can change any more (memfd_create(2)).
#pragma once

#include "addon/spec_builder.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// One to write long files' records to, from its offset on.
Status open_spec(Descriptor& file);
// The plan's spec: what was stored ahead, then its records.
Status make_spec(SpawnPlan& plan, Descriptor& file);
// The plan's own, or one with its bytes. Its offset is at its beginning.
Status make_request(SpawnPlan& plan, Descriptor& file);
// One to write to, and what follows when all is written.
Status open_request(Descriptor& file);
Status finish_request(const Descriptor& file);

}  // namespace codejail
