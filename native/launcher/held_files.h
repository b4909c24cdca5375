// The open files of a jail's processes, as /proc shows them.
#pragma once

#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>

namespace codejail {

// One descriptor of one task: of threads that share a table each shows all.
struct HeldFile {
  int directory;       // .../fd of the task
  const char* number;  // its name there
  const char* link;    // what it leads to: "socket:[4026]"
};

// Calls visit(context, file) for each descriptor of each task but this process. False where some
// could not be seen: then there may be more. `proc`: a descriptor of /proc.
bool visit_held_files(int proc, void (*visit)(void*, const HeldFile&), void* context);

template <typename Visit>
bool for_each_held_file(int proc, Visit visit) {
  return visit_held_files(
      proc, [](void* context, const HeldFile& file) { (*static_cast<Visit*>(context))(file); },
      &visit);
}

}  // namespace codejail
