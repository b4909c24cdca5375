// Copies a file, a directory or a symlink of the host into the jail's root.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace codejail {

// What all that is copied into one jail may take together.
class CopyBudget {
 public:
  // A file takes whole pages, as in a tmpfs; one that is empty, a directory and a link take one
  // too, so that their number is bounded as well.
  static constexpr std::uint64_t kPage = 4096;

  // 0 for no limit.
  void limit_to(std::uint64_t bytes) { limit_ = bytes; }
  // False where there is less left.
  bool take(std::uint64_t bytes) {
    taken_ += bytes;
    return limit_ == 0 || taken_ <= limit_;
  }

 private:
  std::uint64_t limit_ = 0;
  std::uint64_t taken_ = 0;
};

// `source` is a path below the directory `host`. Symlinks are copied as symlinks, at every level,
// as CodeJail does: the data behind a link is never copied. Everything becomes readable for all and
// writable for nobody. Devices, sockets and FIFOs are refused with EINVAL, what the budget has no
// room for with EFBIG.
Status copy_into_jail(int host, const char* source, const char* target, CopyBudget& budget);

}  // namespace codejail
