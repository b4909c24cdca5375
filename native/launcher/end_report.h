// What PID 1 tells of its jail at the end.
#pragma once

#include <sys/resource.h>

#include "core/descriptor.h"
#include "core/report.h"
#include "core/spec.h"
#include "launcher/counted_calls.h"
#include "launcher/sampled_sums.h"

namespace codejail {

// Beside the verdict, the label and how the main process ended, which are there already. `usage`:
// of all that was waited for. `tmp_directory`: may be invalid.
void complete_report(Report& report, const Spec& spec, const SampledSums& sums,
                     CountedCalls& counted, const Descriptor& tmp_directory, const rusage& usage);

// How full the jail's writable directory is.
void tell_disk(Report& report, const Descriptor& tmp_directory);

}  // namespace codejail
