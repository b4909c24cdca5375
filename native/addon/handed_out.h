// Descriptors that JavaScript has as numbers. A worker may end before they are taken or closed.
#pragma once

#include <set>

#include "core/descriptor.h"

namespace codejail {

class HandedOut {
 public:
  HandedOut() = default;
  HandedOut(const HandedOut&) = delete;
  HandedOut& operator=(const HandedOut&) = delete;
  ~HandedOut() { close_all(); }

  // Its number; -1 where there is none.
  int add(Descriptor descriptor);
  // It is somebody else's from now on.
  void disown(int descriptor) { descriptors_.erase(descriptor); }
  void close(int descriptor);
  void close_all();

 private:
  std::set<int> descriptors_;
};

}  // namespace codejail
