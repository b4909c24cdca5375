// What the template's Python calls, by `_ctypes`. Each function is called with the interpreter's
// lock held, by the only thread.
#include "core/cell.h"

#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "cell/call.h"
#include "cell/confine.h"
#include "cell/fork.h"
#include "cell/keeper.h"
#include "cell/memory_map.h"
#include "cell/python.h"
#include "cell/scout.h"
#include "cell/sealed_wait.h"
#include "cell/working_pages.h"
#include "core/descriptor_message.h"
#include "core/microseconds.h"
#include "core/report_channel.h"
#include "core/syscalls.h"
#include "core/write_whole.h"
#include "probe/probe.h"

namespace codejail {
namespace {

constexpr int kRequest = kRequestFd;
constexpr int kResult = kResultFd;

// Of this process: the template's until a fork, the cell's afterwards.
struct State {
  Footprint bare;
  Footprint inherited;
  Spec spec;
  Confined confined;
  Call call;
  const volatile char* single_threaded = nullptr;
  pid_t between = 0;
  bool is_scout = false;
  bool is_announced = false;  // of a scout: its call
};

State& state() {
  // Never destroyed: Python ends a process in more than one way.
  static State* const only = std::make_unique<State>().release();
  return *only;
}

void become_cell(Descriptor (&received)[kCellFds]) {
  const ReportChannel channel(received[kReportFd].get());
  State& cell = state();
  channel.require(cell.spec.map(received[kSpecFd].get()));
  if (!cell.spec.has(kUrgent)) {
    learned_pages().take();
  }
  python().after_fork_child();
  if (python().renew_output != nullptr) {
    python().renew_output();
  }
  if (Status status = confine(cell.spec, received, cell.confined); !status.ok()) {
    (cell.confined.report.valid() ? ReportChannel(cell.confined.report.get()) : channel)
        .fail(status);
  }
}

// Where Python goes on.
enum Place { kInTemplate, kInCell, kInUrgentCell, kInScout };

Place make_cells(int handover) {
  if (!leave_children_to_kernel()) {
    return kInTemplate;
  }
  for (;;) {
    Descriptor received[kCellFds];
    const int count = receive_descriptors(handover, received, kCellFds);
    if (count <= 0) {
      return kInTemplate;
    }
    if (count < static_cast<int>(kNetworkNamespaceFd)) {
      continue;
    }
    Forked forked;
    const ReportChannel channel(received[kReportFd].get());
    const Status status = fork_into(received[kPidNamespaceFd], received[kMountNamespaceFd],
                                    received[kLifelineFd], channel, forked);
    if (forked.in_cell) {
      state().between = forked.between;
      become_cell(received);
      return state().spec.has(kUrgent) ? kInUrgentCell : kInCell;
    }
    if (!status.ok()) {
      // A server that can't be told sees the end of the channel.
      (void)channel.tell_failure(status);
    }
  }
}

}  // namespace
}  // namespace codejail

#define CODEJAIL_EXPORT extern "C" __attribute__((visibility("default")))

// To be called before anything is imported. False where this Python lacks what is needed.
CODEJAIL_EXPORT int codejail_begin_template() {
  using namespace codejail;
  const Python& api = python();
  state().bare = Footprint::measure();
  make_sealed_wait();
  // Since glibc 2.32. Where it is missing, the kernel is asked.
  state().single_threaded =
      static_cast<const volatile char*>(dlsym(RTLD_DEFAULT, "__libc_single_threaded"));
  // No cell may look at the template, not even with its uid.
  return api.before_fork != nullptr && api.after_fork_parent != nullptr &&
                 api.after_fork_child != nullptr && api.run_file != nullptr &&
                 api.finalize != nullptr && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
             ? 1
             : 0;
}

// In the scout, when it has gone its way. False where this host does not say what that took.
CODEJAIL_EXPORT int codejail_report_of_scout() {
  return codejail::report_of_scout() ? 1 : 0;
}

// Sends a scout with that request, then tells the server that the template is ready, makes cells as
// they are asked for, and returns in each: a Place, or in the template below 0 what is wrong with
// it, or with the scout. All in one: whatever Python did between would have the cells use other
// memory than it.
CODEJAIL_EXPORT int codejail_make_cells(int request, int patience_ms, int handover, int answer) {
  using namespace codejail;
#if defined(__GLIBC__)
  // Each cell would copy the page tables of what is free, and free them again.
  (void)malloc_trim(0);  // tells whether there was anything
#endif
  // What one call writes there all others would see.
  bool is_shared = false;
  if (!find_shared_memory(is_shared)) {
    return -5;
  }
  if (is_shared) {
    return -4;
  }
  switch (send_scout(Descriptor(request), learned_pages(), patience_ms)) {
    case ScoutOutcome::kInScout:
      state().is_scout = true;
      return kInScout;
    case ScoutOutcome::kNotForked:
      return -1;
    case ScoutOutcome::kTooLate:
      return -2;
    case ScoutOutcome::kFailed:
      return -3;
    case ScoutOutcome::kLearned:
      break;
  }
  constexpr char kReady[] = "ready";
  if (!write_whole(answer, kReady, sizeof(kReady) - 1)) {
    return kInTemplate;
  }
  ::close(answer);
  return make_cells(handover);
}

// In a cell: tells the server that it waits.
CODEJAIL_EXPORT void codejail_stand_by() {
  using namespace codejail;
  State& cell = state();
  if (cell.is_scout) {
    return;
  }
  const ReportChannel channel(cell.confined.report.get());
  wait_for_keeper(cell.between);
  const Footprint now = Footprint::measure();
  cell.inherited = now.beyond(cell.bare);
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    channel.fail(Status::failure(Step::kForkCell, errno, "getrusage"));
  }
  Report report{};
  report.kind = ReportKind::kCellReady;
  report.main_process = getpid();
  // Not libc's sched_getcpu, which reads memory that it shares with its keeper.
  unsigned processor = 0;
  report.processor = syscall(SYS_getcpu, &processor, nullptr, nullptr) == 0
                         ? static_cast<std::int32_t>(processor)
                         : -1;
  report.user_us = microseconds(usage.ru_utime);
  report.system_us = microseconds(usage.ru_stime);
  report.peak_sum_bytes = cell.inherited.resident_bytes;
  if (!channel.send(report)) {
    _exit(0);
  }
}

// In a cell: waits, and readies everything for the program. How many bytes the request of a
// safeExec has (to read on until the end of the pipe would be to wait for the server to close it),
// or below 0 another kind of call, or that one is about to come. Does not return where the cell
// serves none.
CODEJAIL_EXPORT std::int64_t codejail_await_call() {
  using namespace codejail;
  State& cell = state();
  if (cell.is_scout) {
    if (!std::exchange(cell.is_announced, true)) {
      return -static_cast<std::int64_t>(CallKind::kAnnounced);
    }
    struct stat request {};
    cell.call.rehearse(fstat(kRequest, &request) == 0 ? static_cast<std::uint64_t>(request.st_size)
                                                      : 0);
    return static_cast<std::int64_t>(cell.call.request_size());
  }
  if (cell.call.kind() == CallKind::kAnnounced) {
    Call::busy_poll();
  }
  const ReportChannel channel(cell.confined.report.get());
  bool is_there = false;
  channel.require(cell.call.read(is_there));
  if (!is_there) {
    _exit(0);
  }
  if (cell.call.kind() == CallKind::kAnnounced) {
    return -static_cast<std::int64_t>(CallKind::kAnnounced);
  }
  channel.require(cell.call.apply(cell.spec, cell.inherited, cell.confined));
  cell.confined.report.reset();
  if (cell.call.kind() == CallKind::kExec) {
    return static_cast<std::int64_t>(cell.call.request_size());
  }
  if (cell.call.kind() == CallKind::kExecWithWords) {
    return -static_cast<std::int64_t>(CallKind::kExecWithWords);
  }
  if (cell.call.kind() == CallKind::kSession) {
    return -static_cast<std::int64_t>(CallKind::kSession);
  }
  // A cold program has neither.
  ::close(kRequest);
  ::close(kResult);
  return -static_cast<std::int64_t>(cell.call.kind());
}

// Whether libc is sure that it has made no thread. To ask the kernel takes forty times as long.
CODEJAIL_EXPORT int codejail_has_one_thread() {
  const volatile char* const single = codejail::state().single_threaded;
  return single != nullptr && *single != 0 ? 1 : 0;
}

// Of a safeExec that has words.
CODEJAIL_EXPORT std::int64_t codejail_request_size() {
  return static_cast<std::int64_t>(codejail::state().call.request_size());
}

CODEJAIL_EXPORT int codejail_word_count() {
  return static_cast<int>(codejail::state().call.word_count());
}

CODEJAIL_EXPORT const char* codejail_word(int index) {
  return codejail::state().call.word(static_cast<std::size_t>(index));
}

// Tries to break this cell, as the probe does in a jail; the words of the call are the probe's.
CODEJAIL_EXPORT void codejail_run_probe() {
  using namespace codejail;
  Call& call = state().call;
  const std::size_t count = call.word_count();
  const auto words = std::make_unique<char*[]>(count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    words[i] = const_cast<char*>(call.word(i));
  }
  const int status = codejail_probe::run_probe(static_cast<int>(count), words.get());
  // What is missing in the list of attempts is a failure to the server.
  (void)std::fflush(stdout);
  _exit(status);
}

// Runs a program as `python FILE` does: its traceback printed, SystemExit obeyed. 0 or 1.
CODEJAIL_EXPORT int codejail_run_script(const char* path) {
  std::FILE* file = std::fopen(path, "rbe");
  if (file == nullptr) {
    return 2;
  }
  return codejail::python().run_file(file, path, 1, nullptr) == 0 ? 0 : 1;
}

// Takes the interpreter down and ends this process as Python does.
CODEJAIL_EXPORT void codejail_exit(int status, int interrupted) {
  if (codejail::python().finalize() < 0) {
    status = 120;
  }
  if (interrupted != 0) {
    // As Python: a shell sees that the program was interrupted.
    (void)::signal(SIGINT, SIG_DFL);  // where it fails, the exit below tells
    (void)kill(getpid(), SIGINT);
  }
  std::exit(status);
}
