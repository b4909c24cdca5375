// The server's end of the report channel.
#pragma once

#include <sys/types.h>

#include "core/descriptor.h"
#include "core/report.h"

namespace codejail {

// One packet, with the descriptors that may come along; it does not block. Zero or negative: none
// there, or the end; EMFILE: one whose descriptors this process had no room for.
ssize_t receive_report(const Descriptor& channel, Report& report,
                       Descriptor (&passed)[kMostReported]);

// False where it could not be sent: as a rule nobody listens any more, as the process's end tells.
bool send_order(const Descriptor& channel, const Order& order);

}  // namespace codejail
