// Uids of a pool, each lent to one jail at a time on the whole host.
#pragma once

#include <cstdint>
#include <string>

#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

struct UidRange {
  std::string directory;  // of the lock file; only its owner may write in it
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct Lease {
  std::uint32_t uid = 0;
  // The range has as many uids again, each for the launcher of the uid below it.
  std::uint32_t launcher_uid = 0;
  // The lock lasts as long as a copy of this descriptor is open: the server's, or the launcher's
  // when the server is gone before the jail is.
  Descriptor lock;
};

bool uid_is_free(const std::string& directory, std::uint32_t uid);

// Fails with EAGAIN when all uids of the range are lent.
Status lease_uid(const UidRange& range, Lease& lease);

}  // namespace codejail
