// Keeps a cell's memory, and the file systems that were mounted for it, for a moment longer than
// the cell lives. To free them takes longer than many calls; a process that shares its memory with
// another one dies without, and so does the last one of a mount namespace that is open elsewhere.
//
// The keeper is a fork of the template that has no part in the cell: it is outside of the cell's
// namespaces, holds no descriptor of it but that of its mount namespace, and sleeps in one system
// call until the kernel kills it, when the server closes a pipe, or has ended itself. Should it
// ever go on (a stop signal does that), then in a page that the program can't change, where it
// waits again (sealed_wait.h). Before Linux 6.10 there is no such page: then in memory that the
// program can write to, where it may only read, has nothing to read, and is killed after a second
// of CPU.
#pragma once

#include <sys/types.h>

#include "core/descriptor.h"
#include "core/report_channel.h"

namespace codejail {

// For a child of the template that has just been forked: becomes the keeper of its memory, and
// starts the main process of a cell in it, in that PID namespace, whose PID 1 is its parent.
// `mounts` is the cell's mount namespace; `lifeline` is a pipe's end: the keeper dies when nobody
// can write to it any more. Returns in the main process only: the number of a process between that
// is about to end, or has. Where the kernel or libc does not let memory be shared so, the main
// process has a copy, and nobody keeps it.
pid_t become_keeper(const Descriptor& pid_namespace, const Descriptor& mounts,
                    const Descriptor& lifeline, const ReportChannel& channel);

// Where libc keeps the number of this thread, which the kernel sets in a fork; null where that is
// not known. And has the kernel know what a fork does not inherit of it; false with errno.
pid_t* thread_number();
bool take_robust_list();

// In the main process: waits until neither the process between is left, which a program would see
// in /proc, nor the keeper does anything more.
void wait_for_keeper(pid_t between);

}  // namespace codejail
