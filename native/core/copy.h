// Copies a file, a directory or a symlink of the host into the jail's root.
#pragma once

#include "status.h"

namespace codejail {

// `source` is a path below the directory `host`. Symlinks are copied as symlinks, at every level,
// as CodeJail does: the data behind a link is never copied. Everything becomes readable for all and
// writable for nobody. Devices, sockets and FIFOs are refused with EINVAL.
Status copy_into_jail(int host, const char* source, const char* target);

}  // namespace codejail
