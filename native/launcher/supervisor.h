// PID 1 of the jail: reaps, watches the jail's sums, reports the end, and ends with the server.
#pragma once

#include "core/descriptor.h"
#include "core/launcher_key.h"
#include "core/report_channel.h"
#include "core/spec.h"
#include "launcher/counted_calls.h"
#include "launcher/program.h"
#include "launcher/session.h"

namespace codejail {

// `listener`: of the program's filter, where it asks. `key`: its own, of that filter.
[[noreturn]] void supervise(const Spec& spec, const ReportChannel& channel, Program& program,
                            const Descriptor& tmp_directory, CountedCalls& counted,
                            Descriptor listener, Session& session, const char* apparmor_label,
                            const LauncherKey& key);

// PID 1 of a cell: the main process is forked elsewhere and becomes this process's child. Watches
// from the moment at which the server says that the call begins, and reads that when the timer
// goes off or the main process has ended. By `link` the main process passes on its filter's
// listener. Writes to `end` when it has reported. `domain`: a ruleset of Landlock's for steps of a
// session that have to be apart. `profile`: of AppArmor, or null.
[[noreturn]] void supervise_cell(const Spec& spec, const ReportChannel& channel,
                                 const Descriptor& tmp_directory, CountedCalls& counted,
                                 Descriptor link, Descriptor own_listener, const Descriptor& domain,
                                 const Descriptor& timerfd, const Descriptor& end,
                                 const char* profile);

}  // namespace codejail
