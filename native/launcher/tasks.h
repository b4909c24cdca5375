// The tasks of a jail, as /proc shows them.
#pragma once

namespace codejail {

struct Task {
  int directory;      // .../task of its process
  const char* name;   // its number there
  bool has_siblings;  // other threads of its process, which share its descriptors
};

// Calls visit(context, task) for each task but those of this process; `visit` returns whether all
// of it could be seen. False where some could not: then there may be more. `proc`: a descriptor of
// /proc.
bool visit_tasks(int proc, bool (*visit)(void*, const Task&), void* context);

template <typename Visit>
bool for_each_task(int proc, Visit visit) {
  return visit_tasks(
      proc, [](void* context, const Task& task) { return (*static_cast<Visit*>(context))(task); },
      &visit);
}

// Whether that is the error of what belonged to a task that has ended.
bool is_of_ended_task(int error);

}  // namespace codejail
