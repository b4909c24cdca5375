// The change to an AppArmor profile, by the attribute files of proc(5), and the label read back.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>

#include "core/descriptor.h"
#include "core/status.h"

namespace codejail {

// Opened while /proc is still the host's, by the task that will write it: the kernel refuses a
// writer whose memory is not the opener's (fs/proc/base.c, proc_pid_attr_write).
Status open_apparmor(Descriptor& attribute, int access = O_RDWR);

// The label as the kernel prints it: "NAME (MODE)", "unconfined".
bool read_apparmor_label(const Descriptor& attribute, char* label, std::size_t size);

// Whether `profile` is enforced on a process, or was when it ended, by the /proc that this one
// sees.
bool process_is_confined(pid_t process, const char* profile);

// Changes this task to `profile`, or adds it where the task is confined already, and checks that
// the label it then has is that profile, alone or stacked, in enforce mode. The label is copied to
// `label`; a failure's detail is the label that stands in the way, or `profile` where that is
// missing.
Status change_apparmor_profile(const Descriptor& attribute, const char* profile, char* label,
                               std::size_t size);

// Whether `label`, as the kernel prints it, enforces `profile`: "NAME (enforce)",
// "unconfined//&NAME (enforce)", "NAME//&OTHER (enforce)"; with mixed modes the kernel prints one
// mode for all.
bool label_enforces(const char* label, const char* profile);

}  // namespace codejail
