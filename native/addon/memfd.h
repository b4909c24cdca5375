// What the child is given, in memfds that nobody can change any more (memfd_create(2)).
#pragma once

#include <cstddef>
#include <vector>

#include "addon/spec_builder.h"
#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// A spec as it stands in its file.
std::vector<char> spec_bytes(SpawnPlan& plan);
Status make_spec_file(const char* bytes, std::size_t size, Descriptor& file);
// The plan's own, or one with its bytes. Its offset is at its beginning.
Status make_request(SpawnPlan& plan, Descriptor& file);
// One to write to, and what follows when all is written.
Status open_request(Descriptor& file);
Status finish_request(const Descriptor& file);

}  // namespace codejail
