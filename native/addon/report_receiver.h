// The server's end of the report channel.
#pragma once

#include <sys/types.h>

#include "descriptor.h"
#include "report.h"

namespace codejail {

// One packet, with the descriptor that may come along; it does not block. Zero or negative: none
// there, or the end.
ssize_t receive_report(const Descriptor& channel, Report& report, Descriptor& passed);

// Where nobody listens any more, the end of the process tells so.
void send_order(const Descriptor& channel, const Order& order);

}  // namespace codejail
