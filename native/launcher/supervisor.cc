#include "supervisor.h"

#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <utility>

#include "cgroup.h"
#include "microseconds.h"
#include "usage.h"

namespace codejail {
namespace {

constexpr int kLongestSleepMs = 50;
constexpr int kShortestSleepMs = 2;
// Most calls of a cell are over by then, and a look costs a tenth of such a call.
constexpr int kFirstLookMs = 8;
constexpr int kHurriedSamples = 50;
constexpr std::uint64_t kGraceUs = 1000000;

std::uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t without(std::uint64_t value, std::uint64_t part) {
  return value > part ? value - part : 0;
}

class Supervisor {
 public:
  Supervisor(const Spec& spec, const ReportChannel& channel, const Descriptor& tmp_directory,
             const Descriptor& exec_listener)
      : spec_(spec),
        channel_(channel),
        tmp_directory_(tmp_directory),
        exec_listener_(exec_listener),
        cpu_limit_us_(spec.header().cpu_us),
        memory_limit_(spec.header().memory_bytes) {}

  [[noreturn]] void run(const Program& program, const char* label) {
    watch_children();
    (void)std::snprintf(report_.label, sizeof(report_.label), "%s", label);
    main_process_ = program.start(spec_, channel_);
    if (main_process_ < 0) {
      channel_.fail(Status::failure(Step::kFork, errno));
    }
    if (spec_.has(kTemplate)) {
      // The server takes its end for the template's word that it is ready.
      ::close(spec_.header().result_fd);
    }
    if (!exec_listener_.valid()) {
      announce_start();
    }
    watch();
    if (spec_.has(kTemplate)) {
      outlive_template();
    }
    finish();
  }

  [[noreturn]] void run_cell() {
    watch_children();
    started_ = true;
    sleep_ms_ = -1;
    watch();
    finish();
  }

 private:
  void watch_children() {
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
      reap(WNOHANG);
      // A call that has just begun has used nothing; most have ended before the first look.
      if (!main_ended_ && !std::exchange(just_armed_, false)) {
        check_sums();
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
      reap(WNOHANG);
    }
  }

  void announce_start() {
    started_ = true;
    cgroup_cpu_at_start_us_ = cgroup_cpu_us(spec_.header().cpu_stat_fd);
    report_.started_ns = monotonic_ns();
    Report report = report_;
    report.kind = ReportKind::kStarted;
    if (!channel_.send(report)) {
      _exit(2);
    }
  }

  void wait_for_events() {
    pollfd events[3] = {{signals_.get(), POLLIN, 0},
                        {channel_.get(), POLLIN, 0},
                        {exec_listener_.get(), POLLIN, 0}};
    const int ready = poll(events, exec_listener_.valid() ? 3 : 2, sleep_ms_);
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
      (void)!read(signals_.get(), drained, sizeof(drained));
    }
    if (exec_listener_.valid() && (events[2].revents & POLLIN) != 0) {
      answer_exec();
    }
  }

  [[noreturn]] void end_with_server() {
    if (spec_.has(kReaperByUid)) {
      end_all_processes();
    }
    _exit(2);
  }

  void obey() {
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
    } else if (report_.verdict == Verdict::kNone) {
      report_.verdict = Verdict::kStopped;
      kill_all();
    }
  }

  void arm(const Order& order) {
    main_process_ = order.main_process;
    cpu_limit_us_ = order.cpu_us;
    memory_limit_ = order.memory_bytes;
    spent_user_us_ = order.spent_user_us;
    spent_system_us_ = order.spent_system_us;
    sampler_.begin_call(order.main_process, order.spent_user_us + order.spent_system_us,
                        order.inherited_bytes);
    sleep_ms_ = kFirstLookMs;
    just_armed_ = true;
    if (order.wants_tmp_directory != 0) {
      Report report{};
      report.kind = ReportKind::kTmpDirectory;
      if (!channel_.send(report, tmp_directory_.get())) {
        _exit(2);
      }
    }
  }

  // The first exec is the program's own start; whatever follows is another program.
  void answer_exec() {
    seccomp_notif request{};
    if (ioctl(exec_listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
      return;
    }
    seccomp_notif_resp response{};
    response.id = request.id;
    // Only code of the launcher runs in the jail before `started_`, so the arguments that the
    // kernel will read again are those of the launcher (seccomp_unotify(2), "CONTINUE").
    if (!started_ && request.pid == static_cast<std::uint32_t>(main_process_)) {
      response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
      announce_start();
    } else {
      response.error = -EACCES;
    }
    (void)ioctl(exec_listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  void reap(int options) {
    for (;;) {
      int status = 0;
      rusage usage{};
      const pid_t process = wait4(-1, &status, options | __WALL, &usage);
      if (process < 0 && errno == EINTR) {
        continue;
      }
      if (process <= 0) {
        return;
      }
      // A cell's first child to end is its main process, also where its call has not begun.
      if (process == main_process_ || main_process_ < 0) {
        main_ended_ = true;
        report_.wait_status = status;
      }
    }
  }

  void check_sums() {
    if (!started_) {
      // What there is so far is the launcher's own work.
      return;
    }
    if (cpu_limit_us_ == kUnlimited && memory_limit_ == kUnlimited) {
      sleep_ms_ = -1;
      return;
    }
    const Sample sample = take_sample(memory_limit_);
    remember(sample);
    if (report_.verdict == Verdict::kNone && sample.memory_bytes > memory_limit_) {
      report_.verdict = Verdict::kMemory;
      kill_all();
    }
    if (cpu_limit_us_ != kUnlimited && sample.cpu_us >= cpu_limit_us_) {
      end_for_cpu(sample);
    }
    plan_next(sample);
  }

  // The cgroup's own sum has the CPU of every process that ever was in it: nothing is missed.
  [[nodiscard]] std::uint64_t cgroup_cpu() const {
    const std::uint64_t cpu = cgroup_cpu_us(spec_.header().cpu_stat_fd);
    return cpu > cgroup_cpu_at_start_us_ ? cpu - cgroup_cpu_at_start_us_ : 0;
  }

  Sample take_sample(std::uint64_t exact_above) {
    Sample sample = sampler_.take(exact_above);
    if (const std::uint64_t cpu = cgroup_cpu(); cpu > 0) {
      sample.cpu_us = cpu > sample.cpu_us ? cpu : sample.cpu_us;
      sample.missed = false;
    }
    return sample;
  }

  void remember(const Sample& sample) {
    if (sample.memory_bytes > report_.peak_sum_bytes) {
      report_.peak_sum_bytes = sample.memory_bytes;
    }
    if (sample.cpu_us > report_.cpu_us) {
      report_.cpu_us = sample.cpu_us;
    }
  }

  // As the kernel does for one process: SIGXCPU at the limit, SIGKILL a second of CPU later.
  void end_for_cpu(const Sample& sample) {
    if (report_.verdict == Verdict::kNone) {
      report_.verdict = Verdict::kCpu;
      kill(-1, SIGXCPU);
    }
    if (sample.cpu_us >= cpu_limit_us_ + kGraceUs) {
      kill_all();
    }
  }

  // Sleeps no longer than the jail could need to reach its CPU limit with all its processes.
  void plan_next(const Sample& sample) {
    sleep_ms_ = kLongestSleepMs;
    if (memory_limit_ != kUnlimited) {
      // A process that is filling memory is looked at more often than one that sits still.
      const bool growing = sample.memory_bytes > last_memory_ + (1U << 20U);
      memory_sleep_ms_ = growing ? kShortestSleepMs
                                 : (memory_sleep_ms_ * 2 > kLongestSleepMs ? kLongestSleepMs
                                                                           : memory_sleep_ms_ * 2);
      last_memory_ = sample.memory_bytes;
      sleep_ms_ = memory_sleep_ms_;
    }
    if (cpu_limit_us_ != kUnlimited && sample.processes > 0) {
      const std::uint64_t limit = cpu_limit_us_;
      const std::uint64_t left = sample.cpu_us < limit ? limit - sample.cpu_us : 0;
      const std::uint64_t soonest = left / 1000U / sample.processes;
      if (soonest < static_cast<std::uint64_t>(sleep_ms_)) {
        sleep_ms_ = soonest < kShortestSleepMs ? kShortestSleepMs : static_cast<int>(soonest);
      }
      // Short-lived children that nobody waits for are in no rusage: only samples see them.
      if (sample.missed) {
        hurry_ = kHurriedSamples;
      }
      if (hurry_ > 0) {
        --hurry_;
        sleep_ms_ = kShortestSleepMs;
      }
    }
  }

  void kill_all() const {
    // All that this process may signal: in a PID namespace the jail, else the jail's own uid.
    kill(-1, SIGKILL);
  }

  // Without a PID namespace a process may be forked while the others are being killed; it is over
  // when none can be signalled any more.
  void end_all_processes() {
    do {
      kill_all();
      reap(0);
    } while (spec_.has(kReaperByUid) && sampler_.take(kUnlimited).processes > 0);
  }

  [[noreturn]] void finish() {
    // In most jails nobody is left to look at.
    if (kill(-1, 0) == 0 || errno != ESRCH) {
      remember(take_sample(kUnlimited));
      end_all_processes();
    }
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    report_.kind = ReportKind::kEnded;
    report_.user_us = without(microseconds(usage.ru_utime), spent_user_us_);
    report_.system_us = without(microseconds(usage.ru_stime), spent_system_us_);
    if (report_.user_us + report_.system_us > report_.cpu_us) {
      report_.cpu_us = report_.user_us + report_.system_us;
    }
    if (const std::uint64_t cpu = cgroup_cpu(); cpu > report_.cpu_us) {
      report_.cpu_us = cpu;
    }
    report_.peak_rss_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024U;
    struct statfs disk {};
    if (tmp_directory_.valid() && fstatfs(tmp_directory_.get(), &disk) == 0) {
      report_.disk_bytes =
          (disk.f_blocks - disk.f_bfree) * static_cast<std::uint64_t>(disk.f_bsize);
      // The root directory is not one of the program's files.
      report_.disk_files = disk.f_files > 0 ? disk.f_files - disk.f_ffree - 1 : 0;
      report_.disk_full = disk.f_blocks > 0 && disk.f_bfree == 0 ? 1 : 0;
      report_.files_full = disk.f_files > 0 && disk.f_ffree == 0 ? 1 : 0;
    }
    _exit(channel_.send(report_) ? 0 : 2);
  }

  const Spec& spec_;
  const ReportChannel& channel_;
  const Descriptor& tmp_directory_;
  const Descriptor& exec_listener_;
  Descriptor signals_;
  UsageSampler sampler_;
  std::uint64_t cpu_limit_us_;
  std::uint64_t memory_limit_;
  std::uint64_t spent_user_us_ = 0;
  std::uint64_t spent_system_us_ = 0;
  Report report_{};
  pid_t main_process_ = -1;
  bool main_ended_ = false;
  bool started_ = false;
  bool just_armed_ = false;
  int sleep_ms_ = kShortestSleepMs;
  int memory_sleep_ms_ = kShortestSleepMs;
  std::uint64_t last_memory_ = 0;
  std::uint64_t cgroup_cpu_at_start_us_ = 0;
  int hurry_ = 0;
};

}  // namespace

void supervise(const Spec& spec, const ReportChannel& channel, const Program& program,
               const Descriptor& tmp_directory, const Descriptor& exec_listener,
               const char* apparmor_label) {
  Supervisor supervisor(spec, channel, tmp_directory, exec_listener);
  supervisor.run(program, apparmor_label);
}

void supervise_cell(const Spec& spec, const ReportChannel& channel,
                    const Descriptor& tmp_directory) {
  const Descriptor no_listener;
  Supervisor supervisor(spec, channel, tmp_directory, no_listener);
  supervisor.run_cell();
}

}  // namespace codejail
