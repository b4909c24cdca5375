// A child of the template that goes a call's whole way before there are any, to learn which pages
// of memory that takes, and is no more. It is no cell: its program is the operator's.
#pragma once

#include "cell/working_pages.h"
#include "core/descriptor.h"

namespace codejail {

enum class ScoutOutcome { kLearned, kInScout, kNotForked, kTooLate, kFailed };

// Returns twice, as fork does. In the scout, `request` is where a cell has its own, and its outputs
// are lost. In the template it takes down what the scout tells, and waits for its end.
ScoutOutcome send_scout(Descriptor request, WorkingPages& pages, int patience_ms);

// In the scout, at its end. False where this host does not say which pages it used.
bool report_of_scout();

}  // namespace codejail
