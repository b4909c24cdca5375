// PID 1 of the jail: reaps, watches the jail's sums, reports the end, and ends with the server.
#pragma once

#include "descriptor.h"
#include "program.h"
#include "report_channel.h"
#include "spec.h"

namespace codejail {

[[noreturn]] void supervise(const Spec& spec, const ReportChannel& channel, const Program& program,
                            const Descriptor& tmp_directory, const Descriptor& exec_listener,
                            const char* apparmor_label);

}  // namespace codejail
