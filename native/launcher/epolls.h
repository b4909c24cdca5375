// The epoll instances of a jail. PID 1 makes each, lends it to the program, and keeps it: so it can
// look up at any time how many watches there are, and nothing that a program does with its
// descriptors hides one (poll(2) holds files that are closed meanwhile).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/descriptor.h"

namespace codejail {

class Epolls {
 public:
  Epolls(std::size_t most, std::uint64_t most_watches) : most_(most), most_watches_(most_watches) {}

  // Makes all of them at once: a process that is under the filter can't make one later.
  bool make_all();
  // One without watches that nobody has: a new one, or one that was given back. -1 where there is
  // none. `proc`: a descriptor of /proc.
  int lend(const Descriptor& proc);
  // Whether one more watch may be added to any.
  bool take_watch(const Descriptor& proc);

 private:
  struct Epoll {
    Descriptor descriptor;
    bool is_lent = false;
  };

  bool make();
  void find_given_back(const Descriptor& proc);

  std::size_t most_;
  std::uint64_t most_watches_;
  // Of those that it may have been allowed to add since they were counted.
  std::uint64_t watches_ = 0;
  Descriptor mark_;
  std::vector<Epoll> epolls_;
};

}  // namespace codejail
