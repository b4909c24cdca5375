// The namespaces that an ordinary user's launcher makes.
#pragma once

#include "core/report_channel.h"
#include "core/spec.h"
#include "core/status.h"

namespace codejail {

// Returns in a new process, PID 1 of the jail, where the ids are mapped; the old one ends.
Status make_namespaces(const Spec& spec, const ReportChannel& channel);

}  // namespace codejail
