// The few functions of Python's C API that are needed, found in the process that loaded this
// library: it fits every version of Python, and is built without its headers.
#pragma once

#include <cstdio>

namespace codejail {

struct Python {
  void (*before_fork)();
  void (*after_fork_parent)();
  void (*after_fork_child)();
  int (*run_file)(std::FILE* file, const char* name, int close_it, void* flags);
  int (*finalize)();
  // Of native/output, where it is loaded.
  void (*renew_output)();
};

// Null functions where one is missing.
const Python& python();

}  // namespace codejail
