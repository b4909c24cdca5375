// The network namespaces of cells, each used by one cell after the other.
#pragma once

#include <vector>

#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// To make one and to free one costs the kernel more than all else that a cell is made of.
class NetworkNamespaces {
 public:
  // Enters one that no process and no socket is in: what this process clones from now on is in it.
  Status enter_unused();
  // The cell that was cloned since then: until its PID 1 has ended nobody else enters.
  void lend_to(Descriptor pidfd);
  // For that cell's own process, which has no business with those of others: its own, and no more.
  Descriptor forget();

 private:
  struct Loan {
    Descriptor network_namespace;
    Descriptor pidfd;
  };

  void take_back();

  std::vector<Loan> loans_;
  std::vector<Descriptor> unused_;
  Descriptor entered_;
};

}  // namespace codejail
