#include "launcher/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/apparmor.h"
#include "core/descriptor_message.h"
#include "core/microseconds.h"
#include "core/monotonic_clock.h"
#include "core/seccomp_checks.h"
#include "core/tmpfs.h"
#include "launcher/attempts.h"
#include "launcher/notification.h"
#include "launcher/sampled_sums.h"

namespace codejail {
namespace {

constexpr int kFirstSleepMs = 2;
constexpr std::uint64_t kMillisecond = 1000000;
// A program can have orphans end as fast as they are reaped: the sums are looked at in between.
constexpr int kMostReaped = 64;
constexpr int kTryAgainMs = 5;
// What is waited for beside what stand-ins read and write.
constexpr std::size_t kOwnEvents = 5;
// To wait4, and from `next_ended`.
constexpr pid_t kAny = -1;
constexpr pid_t kFailed = -2;

class Supervisor {
 public:
  Supervisor(const Spec& spec, const ReportChannel& channel, const Descriptor& tmp_directory,
             CountedCalls& counted, Descriptor listener, Descriptor link, const Descriptor& timerfd,
             const Descriptor& end, Session& session)
      : spec_(spec),
        channel_(channel),
        tmp_directory_(tmp_directory),
        counted_(counted),
        listener_(std::move(listener)),
        link_(std::move(link)),
        timerfd_(timerfd),
        end_(end),
        session_(session),
        is_listening_(!timerfd.valid()),
        sums_(spec.header()) {}

  [[noreturn]] void run(Program& program, const char* label) {
    watch_children();
    (void)std::snprintf(report_.label, sizeof(report_.label), "%s", label);
    if (const Record profile = spec_.find(RecordKind::kAppArmorProfile);
        profile.header != nullptr) {
      profile_ = profile.data;
    }
    if (spec_.has(kTemplate)) {
      skip_number();
    }
    main_process_ = program.start(spec_, channel_);
    if (main_process_ < 0) {
      channel_.fail(Status::failure(Step::kFork, errno));
    }
    if (spec_.has(kTemplate)) {
      // The server takes its end for the template's word that it is ready.
      ::close(spec_.header().descriptors[kResultFd]);
    }
    if (!listener_.valid() || spec_.has(kAllowExec)) {
      announce_start();
    }
    watch();
    if (spec_.has(kTemplate)) {
      outlive_template();
    }
    finish();
  }

  // Tells what the program tries in vain.
  void explain(const LauncherKey& key) {
    attempts_ = std::make_unique<Attempts>(channel_, counted_.proc(), key.memory);
  }

  [[noreturn]] void run_cell(Descriptor own_listener, const char* profile) {
    watch_children();
    own_listener_ = std::move(own_listener);
    profile_ = profile;
    started_ = true;
    sleep_ms_ = -1;
    next_look_ns_ = ~std::uint64_t{0};
    watch();
    finish();
  }

 private:
  // So that the template's Python has another number than each of its cells' has in its own
  // namespace: generators of random numbers tell by it that they are in a fork (OpenSSL,
  // openssl_get_fork_id).
  void skip_number() {
    const auto child =
        static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0));
    if (child == 0) {
      _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, __WALL) != child) {
      channel_.fail(Status::failure(Step::kFork, errno));
    }
  }

  void watch_children() {
    // A cell's limits come with its call.
    if (!sums_.can_look() && (sums_.is_limited() || timerfd_.valid())) {
      channel_.fail(Status::failure(Step::kSupervise, errno, "/proc can't be read"));
    }
    sigset_t child_signal;
    sigemptyset(&child_signal);
    sigaddset(&child_signal, SIGCHLD);
    signals_.reset(signalfd(-1, &child_signal, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals_.valid()) {
      channel_.fail(Status::failure(Step::kSupervise, errno));
    }
  }

  void watch() {
    while (!main_ended_) {
      wait_for_events();
      reap(WNOHANG, kMostReaped);
      if (!main_ended_ && monotonic_ns() >= next_look_ns_) {
        session_.weigh_less();
        look_at_sums();
      }
    }
  }

  // Its cells are children of the nursery and have a call to finish: the server says when to end.
  void outlive_template() {
    Report report = report_;
    report.kind = ReportKind::kTemplateEnded;
    if (!channel_.send(report)) {
      _exit(2);
    }
    sleep_ms_ = -1;
    while (report_.verdict == Verdict::kNone) {
      wait_for_events();
      reap(WNOHANG, kMostReaped);
    }
  }

  void announce_start() {
    started_ = true;
    sums_.begin_program(main_process_);
    report_.started_ns = monotonic_ns();
    Report report = report_;
    report.kind = ReportKind::kStarted;
    if (!channel_.send(report)) {
      _exit(2);
    }
  }

  // Until the next look at the sums.
  [[nodiscard]] int patience_ms() const {
    if (has_more_to_reap_) {
      return 0;
    }
    const std::uint64_t now = monotonic_ns();
    std::uint64_t due = sleep_ms_ < 0 ? ~std::uint64_t{0} : next_look_ns_;
    if (counted_.has_waiters()) {
      due = std::min(due, now + kTryAgainMs * kMillisecond);
    }
    if (due == ~std::uint64_t{0}) {
      return -1;
    }
    return now >= due ? 0 : static_cast<int>((due - now + kMillisecond - 1) / kMillisecond);
  }

  void look_at_sums() {
    const std::uint64_t before = monotonic_ns();
    check_sums();
    const std::uint64_t after = monotonic_ns();
    // However many processes there are: not more than half of the time.
    next_look_ns_ = sleep_ms_ < 0
                        ? ~std::uint64_t{0}
                        : after + std::max(static_cast<std::uint64_t>(sleep_ms_) * kMillisecond,
                                           after - before);
  }

  void wait_for_events() {
    // Those that are -1 are left out (poll(2)). Orders for a cell wait for its timer, and do not
    // wake this process before; the server's end does.
    const short orders = is_listening_ ? POLLIN : 0;
    pollfd events[kOwnEvents + StandIns::kMost] = {{signals_.get(), POLLIN, 0},
                                                   {channel_.get(), orders, 0},
                                                   {has_askers_ ? listener_.get() : -1, POLLIN, 0},
                                                   {timerfd_.get(), POLLIN, 0},
                                                   {link_.get(), POLLIN, 0}};
    const std::size_t waited = kOwnEvents + counted_.stand_ins().wait_for(events + kOwnEvents);
    const int ready = poll(events, waited, patience_ms());
    if (counted_.has_waiters() && !counted_.try_again(listener_)) {
      channel_.fail(Status::failure(Step::kSupervise, errno, "the answer to a system call"));
    }
    if (ready <= 0) {
      return;
    }
    if ((events[1].revents & (POLLHUP | POLLERR)) != 0) {
      // The server is gone. The end of PID 1 is the end of the jail (pid_namespaces(7)).
      end_with_server();
    }
    if ((events[1].revents & POLLIN) != 0) {
      obey();
    }
    if ((events[0].revents & POLLIN) != 0) {
      signalfd_siginfo drained[8];
      // What it says is asked for by wait4 anyway.
      (void)!read(signals_.get(), drained, sizeof(drained));
    }
    if ((events[2].revents & POLLIN) != 0) {
      answer_call();
    } else if (events[2].revents != 0) {
      // Nobody is under the filter any more.
      has_askers_ = false;
    }
    if (events[4].revents != 0) {
      take_listener();
    }
    counted_.stand_ins().go_on(events + kOwnEvents, waited - kOwnEvents);
    if ((events[3].revents & POLLIN) != 0) {
      std::uint64_t times = 0;
      // Where that fails it goes off once more.
      (void)!read(timerfd_.get(), &times, sizeof(times));
      is_listening_ = true;
      obey();
    }
  }

  void take_listener() {
    // Where none comes, the kernel answers what is asked: ENOSYS.
    (void)receive_descriptors(link_.get(), &listener_, 1);
    link_.reset();
  }

  [[noreturn]] void end_with_server() {
    if (spec_.has(kReaperByUid)) {
      end_all_processes();
    }
    _exit(2);
  }

  void obey() {
    for (;;) {
      Order order{};
      const ssize_t count = recv(channel_.get(), &order, sizeof(order), MSG_DONTWAIT);
      if (count == 0) {
        end_with_server();
      }
      if (count != static_cast<ssize_t>(sizeof(order))) {
        return;
      }
      if (order.kind == OrderKind::kArm) {
        arm(order);
      } else if (!main_ended_ && report_.verdict == Verdict::kNone) {
        report_.verdict = Verdict::kStopped;
        kill_all();
      }
    }
  }

  void arm(const Order& order) {
    main_process_ = order.main_process;
    sums_.begin_call(order);
    next_look_ns_ = 0;
    if (order.wants_tmp_directory != 0) {
      Report report{};
      report.kind = ReportKind::kTmpDirectory;
      if (!channel_.send(report, tmp_directory_.get())) {
        _exit(2);
      }
    }
  }

  void answer_call() {
    Notification call;
    if (!call.receive(listener_)) {
      return;
    }
    if (!(attempts_ != nullptr ? answer_told(call)
          : is_exec(call)      ? answer_exec(call)
                               : counted_.answer(listener_, call))) {
      // Who has asked would wait for ever.
      channel_.fail(Status::failure(Step::kSupervise, errno, "the answer to a system call"));
    }
  }

  // Of an explained call. What the kernel makes is as if nobody had asked.
  bool answer_told(const Notification& call) {
    if (is_exec(call) && !spec_.has(kAllowExec)) {
      if (started_) {
        attempts_->look(call, EACCES);
      }
      return answer_exec(call);
    }
    const std::uint64_t arguments[6] = {call.argument(0), call.argument(1), call.argument(2),
                                        call.argument(3), call.argument(4), call.argument(5)};
    const int refused = refused_for_arguments(call.number(), arguments);
    attempts_->look(call, refused);
    if (refused != 0) {
      return call.refuse(listener_, refused);
    }
    return is_exec(call) || opens(call) ? call.go_on(listener_) : counted_.answer(listener_, call);
  }

  static bool opens(const Notification& call) {
    switch (call.number()) {
#if defined(SYS_open)
      case SYS_open:
      case SYS_creat:
      case SYS_mkdir:
#endif
      case SYS_openat:
      case SYS_mkdirat:
        return true;
      default:
        return false;
    }
  }

  static bool is_exec(const Notification& call) {
    return call.number() == SYS_execve || call.number() == SYS_execveat;
  }

  // The first exec is the program's own start; whatever follows is another program.
  bool answer_exec(const Notification& call) {
    // Only code of the launcher runs in the jail before `started_`, so the arguments that the
    // kernel will read again are those of the launcher (seccomp_unotify(2), "CONTINUE").
    if (!started_ && call.caller() == static_cast<std::uint32_t>(main_process_)) {
      announce_start();
      return call.go_on(listener_);
    }
    counted_.stand_ins().look_at(listener_, call);
    return call.refuse(listener_, EACCES);
  }

  void reap(int options, int most) {
    for (int reaped = 0;; ++reaped) {
      has_more_to_reap_ = reaped == most;
      if (has_more_to_reap_) {
        return;
      }
      int status = 0;
      rusage usage{};
      const pid_t next = next_ended(options);
      const pid_t process =
          next == kAny || next > 0 ? wait4(next, &status, options | __WALL, &usage) : next;
      if (process < 0 && errno == EINTR) {
        continue;
      }
      if (process <= 0) {
        has_children_ = process == 0 || errno != ECHILD;
        return;
      }
      if (main_process_ < 0) {
        // A cell that has not looked for its order yet: it is there before the program runs.
        obey();
      }
      // Where there is none, no call has begun, and the main process is the only one.
      if (process == main_process_ || main_process_ < 0) {
        main_ended_ = true;
        sums_.end_main_process();
        report_.wait_status = status;
      }
    }
  }

  // The one that wait4 is to take next: any, but where there is a profile. A profile that is
  // removed, or set to complain, while the program runs confines it no more; the label stays to be
  // read of a process that has ended until it is waited for. 0 where none has ended.
  pid_t next_ended(int options) {
    if (profile_ == nullptr) {
      return kAny;
    }
    siginfo_t ended{};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT | options | __WALL) != 0) {
      return kFailed;
    }
    if (main_process_ < 0) {
      obey();
    }
    if (ended.si_pid != 0 && ended.si_pid == main_process_) {
      report_.profile_lost = process_is_confined(main_process_, profile_) ? 0 : 1;
    }
    return ended.si_pid;
  }

  void check_sums() {
    if (!started_) {
      // What there is so far is the launcher's own work.
      return;
    }
    if (!sums_.is_limited()) {
      sleep_ms_ = -1;
      return;
    }
    sums_.look();
    if (report_.verdict == Verdict::kNone && sums_.is_over_memory()) {
      report_.verdict = Verdict::kMemory;
      kill_all();
    }
    if (report_.verdict == Verdict::kNone && sums_.is_over_cpu()) {
      report_.verdict = Verdict::kCpu;
      (void)kill(-1, SIGXCPU);  // ESRCH: it has just ended
    }
    if (sums_.is_over_grace()) {
      kill_all();
    }
    sleep_ms_ = sums_.plan_next();
  }

  void kill_all() const {
    // All that this process may signal: in a PID namespace the jail, else the jail's own uid.
    // ESRCH: there is nobody.
    (void)kill(-1, SIGKILL);
  }

  // Without a PID namespace a process may be forked while the others are being killed; it is over
  // when none can be signalled any more.
  void end_all_processes() {
    do {
      kill_all();
      reap(0, -1);
    } while (spec_.has(kReaperByUid) && sums_.has_processes());
  }

  // Whoever is left in a PID namespace is a child of its PID 1, or of one that is
  // (pid_namespaces(7)). Not by kill(-1, 0), which goes through all of the host's processes.
  [[nodiscard]] bool is_alone() const {
    return spec_.has(kReaperByUid) ? kill(-1, 0) != 0 && errno == ESRCH : !has_children_;
  }

  [[noreturn]] void finish() {
    if (!is_alone()) {
      sums_.look_roughly();
      end_all_processes();
    }
    rusage usage{};
    if (getrusage(RUSAGE_CHILDREN, &usage) != 0) {
      channel_.fail(Status::failure(Step::kSupervise, errno, "getrusage"));
    }
    report_.kind = ReportKind::kEnded;
    report_.user_us = sums_.user_us(microseconds(usage.ru_utime));
    report_.system_us = sums_.system_us(microseconds(usage.ru_stime));
    report_.cpu_us = std::max(sums_.cpu_us(), report_.user_us + report_.system_us);
    report_.peak_sum_bytes = sums_.peak_bytes();
    report_.peak_data_bytes = sums_.peak_data_bytes();
    report_.peak_stack_bytes = sums_.peak_stack_bytes();
    look_at_image();
    report_.over_data_bytes = counted_.allocations().over_data_bytes();
    report_.over_address_bytes = counted_.allocations().over_address_bytes();
    report_.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
    struct statfs disk {};
    if (tmp_directory_.valid() && fstatfs(tmp_directory_.get(), &disk) == 0) {
      report_.disk_bytes =
          (disk.f_blocks - disk.f_bfree) * static_cast<std::uint64_t>(disk.f_bsize);
      report_.disk_files = disk.f_files > 0 ? disk.f_files - disk.f_ffree - kOwnInodes : 0;
      report_.disk_full = disk.f_blocks > 0 && disk.f_bfree == 0 ? 1 : 0;
      report_.files_full = disk.f_files > 0 && disk.f_ffree == 0 ? 1 : 0;
    }
    if (!send_with_filters() && !channel_.send(report_)) {
      _exit(2);
    }
    // A socket would have the server go on upon this processor, and this process wait for it
    // (net/core/sock.c, sock_def_readable: a synchronous wake).
    constexpr std::uint64_t kOnce = 1;
    // The end of this process tells the same, if later.
    (void)!write(end_.get(), &kOnce, sizeof(kOnce));
    _exit(0);
  }

  // Of a program that its exec may have killed.
  void look_at_image() {
    const int status = report_.wait_status;
    const Record program = spec_.find(RecordKind::kProgram);
    if (program.header != nullptr && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) {
      counted_.allocations().look_at_image(program.path);
    }
  }

  // With a cell's filters, which would otherwise be freed on this processor when this process ends,
  // and the kernel's worker would go first. Not where more are on their way already than this
  // process may have (unix(7), ETOOMANYREFS).
  [[nodiscard]] bool send_with_filters() const {
    if (!timerfd_.valid() || spec_.has(kUrgent)) {
      return false;
    }
    int passed[kMostReported];
    std::size_t count = 0;
    for (const Descriptor* listener : {&listener_, &own_listener_}) {
      if (listener->valid()) {
        passed[count++] = listener->get();
      }
    }
    return count > 0 && channel_.send(report_, passed, count);
  }

  const Spec& spec_;
  const ReportChannel& channel_;
  const Descriptor& tmp_directory_;
  CountedCalls& counted_;
  Descriptor listener_;
  Descriptor own_listener_;  // of a cell's PID 1: of its own filter
  Descriptor link_;
  const Descriptor& timerfd_;
  const Descriptor& end_;
  Session& session_;
  bool is_listening_;
  Descriptor signals_;
  SampledSums sums_;
  std::unique_ptr<Attempts> attempts_;  // of an explained call
  Report report_{};
  const char* profile_ = nullptr;  // of AppArmor, where there is one
  pid_t main_process_ = -1;
  bool main_ended_ = false;
  bool has_children_ = true;  // as the last look for them said
  bool started_ = false;
  int sleep_ms_ = kFirstSleepMs;
  std::uint64_t next_look_ns_ = 0;
  bool has_more_to_reap_ = false;
  bool has_askers_ = true;
};

}  // namespace

void supervise(const Spec& spec, const ReportChannel& channel, Program& program,
               const Descriptor& tmp_directory, CountedCalls& counted, Descriptor listener,
               Session& session, const char* apparmor_label, const LauncherKey& key) {
  const Descriptor none;
  Supervisor supervisor(spec, channel, tmp_directory, counted, std::move(listener), Descriptor(),
                        none, none, session);
  if (spec.has(kExplain)) {
    supervisor.explain(key);
  }
  supervisor.run(program, apparmor_label);
}

void supervise_cell(const Spec& spec, const ReportChannel& channel, const Descriptor& tmp_directory,
                    CountedCalls& counted, Descriptor link, Descriptor own_listener,
                    const Descriptor& timerfd, const Descriptor& end, const char* profile) {
  Session session;
  Supervisor supervisor(spec, channel, tmp_directory, counted, Descriptor(), std::move(link),
                        timerfd, end, session);
  supervisor.run_cell(std::move(own_listener), profile);
}

}  // namespace codejail
