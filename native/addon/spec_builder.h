// Writes a spec: header and records, from JavaScript's plain data.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "addon/jail_cgroup.h"
#include "addon/lease.h"
#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// All that one spawn needs, owned by it: nothing in it belongs to JavaScript any more.
struct SpawnPlan {
  SpecHeader header{};
  std::vector<char> records;
  std::string launcher;
  bool leases_uid = false;
  UidRange uids;
  bool has_cgroup = false;
  CgroupPlan cgroup;
  bool has_request = false;
  std::vector<char> request;
  // In the place of those bytes, where there is one: a long request, as `write_request` made it.
  Descriptor request_file;
};

// Throws a JavaScript TypeError and returns false when a property is missing or of the wrong type.
bool read_plan(const Napi::Object& spec, SpawnPlan& plan);

}  // namespace codejail
