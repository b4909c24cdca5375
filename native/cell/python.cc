#include "cell/python.h"

#include <dlfcn.h>

namespace codejail {
namespace {

template <typename Function>
void find(const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

Python found() {
  Python api{};
  find("PyOS_BeforeFork", api.before_fork);
  find("PyOS_AfterFork_Parent", api.after_fork_parent);
  find("PyOS_AfterFork_Child", api.after_fork_child);
  find("PyRun_AnyFileExFlags", api.run_file);
  find("Py_FinalizeEx", api.finalize);
  find("codejail_renew_output", api.renew_output);
  return api;
}

}  // namespace

const Python& python() {
  static const Python api = found();
  return api;
}

}  // namespace codejail
