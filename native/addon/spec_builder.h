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
  // A spec that has the records of long files already, as `append_files` writes them; or none.
  Descriptor stored_files;
};

// Appends one record, as a spec has it, but for its data's bytes and what follows them.
void append_record_head(std::vector<char>& records, RecordHeader header, const std::string& path,
                        std::size_t data_length);
// Appends what follows a record's data: a NUL, and zeros up to the next record.
void append_record_end(std::vector<char>& records, std::size_t path_length,
                       std::size_t data_length);

// Throws a JavaScript TypeError and returns false when a property is missing or of the wrong type.
bool read_plan(const Napi::Object& spec, SpawnPlan& plan);

}  // namespace codejail
