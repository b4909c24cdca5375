// What records put into a jail's tree by themselves: directories, files, copies of the host's.
#pragma once

#include <sys/types.h>

#include "core/copy.h"
#include "core/descriptor.h"
#include "core/spec.h"

namespace codejail {

// Without the read bit a directory can be crossed but not listed: EACCES, also for its owner.
constexpr mode_t kUnlistable = 0111;

Status make_parents(const char* path);
// One that is there already, as a parent, gets that mode.
Status make_directory(const char* path, mode_t mode);
Status make_file(const Record& record);
// `host`: what the paths of copies are below.
Status copy_file(int host, const Record& record, CopyBudget& budget);

// A file or a directory in `tmp`, which belongs to the program's user.
bool is_own(const Record& record);
Status make_own(const Spec& spec, const Record& record);

Status open_tmp_directory(const Spec& spec, Descriptor& tmp_directory);

}  // namespace codejail
