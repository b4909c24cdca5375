// Which pages of memory a call uses. A process that was just forked shares all of its pages with
// the template, and takes a fault for each that it writes to; a cell takes them while it waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "cell/page_ranges.h"

namespace codejail {

class WorkingPages {
 public:
  // Of this process, which was forked: those that it has written to, which it shares no longer, and
  // those of files that it has read. Writes them to a descriptor; false where that fails.
  static bool report(int descriptor);

  // What another process has reported, to its end. False where that is not there in time.
  bool learn(int descriptor, int patience_ms);
  // Takes the faults. What can't be had is left to the call itself.
  void take() const;
  // The same in a process that is confined: those that are written to.
  void take_written() const;

 private:
  std::unique_ptr<PageRange[]> ranges_;
  std::size_t count_ = 0;
};

// What the scout has reported: the template's, and so each fork's.
WorkingPages& learned_pages();

}  // namespace codejail
