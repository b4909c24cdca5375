#include "launcher/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/descriptor_message.h"
#include "core/monotonic_clock.h"
#include "launcher/answers.h"
#include "launcher/cell_session.h"
#include "launcher/children.h"
#include "launcher/end_report.h"
#include "launcher/limits.h"

namespace codejail {
namespace {

constexpr std::uint64_t kMillisecond = 1000000;
constexpr int kTryAgainMs = 5;
// What is waited for beside what stand-ins read and write.
constexpr std::size_t kOwnEvents = 5;

class Supervisor {
 public:
  Supervisor(const Spec& spec, const ReportChannel& channel, const Descriptor& tmp_directory,
             CountedCalls& counted, Descriptor listener, Descriptor link, const Descriptor& domain,
             const Descriptor& timerfd, const Descriptor& end, Session& session)
      : spec_(spec),
        channel_(channel),
        tmp_directory_(tmp_directory),
        counted_(counted),
        link_(std::move(link)),
        timerfd_(timerfd),
        end_(end),
        session_(session),
        is_listening_(!timerfd.valid()),
        limits_(report_, spec.header()),
        answers_(spec, counted, std::move(listener)),
        children_(report_, limits_.sums(), spec.has(kReaperByUid), [this] { obey(); }),
        cell_session_(
            {report_, channel, counted.proc(), domain, tmp_directory, limits_, children_, answers_},
            [this] { obey(); }) {}

  [[noreturn]] void run(Program& program, const char* label) {
    watch_children();
    (void)std::snprintf(report_.label, sizeof(report_.label), "%s", label);
    if (const Record profile = spec_.find(RecordKind::kAppArmorProfile);
        profile.header != nullptr) {
      children_.set_profile(profile.data);
    }
    const pid_t main_process = program.start(spec_, channel_);
    if (main_process < 0) {
      channel_.fail(Status::failure(Step::kFork, errno));
    }
    children_.set_main(main_process);
    if (spec_.has(kTemplate)) {
      // The server takes its end for the template's word that it is ready.
      ::close(spec_.header().descriptors[kResultFd]);
    }
    if (!answers_.listener().valid() || spec_.has(kAllowExec)) {
      announce_start(main_process);
    } else {
      answers_.expect_start(main_process, [this, main_process] { announce_start(main_process); });
    }
    watch();
    if (spec_.has(kTemplate)) {
      outlive_template();
    }
    finish();
  }

  // Tells what the program tries in vain.
  void explain(const LauncherKey& key) { answers_.explain(channel_, key); }

  [[noreturn]] void run_cell(Descriptor own_listener, const char* profile) {
    watch_children();
    answers_.set_on_session_call(
        [this](const Notification& call) { return cell_session_.answer(call); });
    own_listener_ = std::move(own_listener);
    children_.set_profile(profile);
    limits_.wait_for_call();
    watch();
    finish();
  }

 private:
  void watch_children() {
    // A cell's limits come with its call.
    SampledSums& sums = limits_.sums();
    if (!sums.can_look() && (sums.is_limited() || timerfd_.valid())) {
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
    while (!children_.has_main_ended()) {
      wait_for_events();
      children_.reap();
      cell_session_.look();
      if (!children_.has_main_ended() && cell_session_.may_use_anything() && limits_.is_due()) {
        session_.weigh_less();
        limits_.look();
      }
    }
  }

  // Its cells are children of the nursery and have a call to finish: the server says when to end.
  void outlive_template() {
    Report report = report_;
    report.kind = ReportKind::kTemplateEnded;
    tell(report);
    limits_.rest();
    while (report_.verdict == Verdict::kNone) {
      wait_for_events();
      children_.reap();
    }
  }

  void announce_start(pid_t main_process) {
    limits_.begin_program(main_process);
    report_.started_ns = monotonic_ns();
    Report report = report_;
    report.kind = ReportKind::kStarted;
    tell(report);
  }

  void tell(const Report& report, int passed_descriptor = -1) const {
    if (!channel_.send(report, passed_descriptor)) {
      _exit(2);
    }
  }

  // Until the next look at the sums, or at a lock that is waited for.
  [[nodiscard]] int patience_ms() const {
    if (children_.has_more_to_reap()) {
      return 0;
    }
    const std::uint64_t now = monotonic_ns();
    std::uint64_t due =
        std::min(cell_session_.may_use_anything() ? limits_.due_ns() : CellSession::kNever,
                 cell_session_.due_ns());
    if (counted_.has_waiters()) {
      due = std::min(due, now + kTryAgainMs * kMillisecond);
    }
    if (due == CellSession::kNever) {
      return -1;
    }
    return now >= due ? 0 : static_cast<int>((due - now + kMillisecond - 1) / kMillisecond);
  }

  void wait_for_events() {
    // Those that are -1 are left out (poll(2)). Orders for a cell wait for its timer, and do not
    // wake this process before; the server's end does.
    const short orders = is_listening_ ? POLLIN : 0;
    pollfd events[kOwnEvents + StandIns::kMost] = {{signals_.get(), POLLIN, 0},
                                                   {channel_.get(), orders, 0},
                                                   {answers_.polled(), POLLIN, 0},
                                                   {timerfd_.get(), POLLIN, 0},
                                                   {link_.get(), POLLIN, 0}};
    const std::size_t waited = kOwnEvents + counted_.stand_ins().wait_for(events + kOwnEvents);
    const int ready = poll(events, waited, patience_ms());
    require_answer(channel_, !counted_.has_waiters() || counted_.try_again(answers_.listener()));
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
    require_answer(channel_, answers_.answer(events[2].revents));
    if (events[4].revents != 0) {
      answers_.receive_listener(link_);
      link_.reset();
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

  [[noreturn]] void end_with_server() {
    if (spec_.has(kReaperByUid)) {
      children_.end_all();
    }
    _exit(2);
  }

  void obey() {
    for (;;) {
      Order order{};
      Descriptor passed[kPassedStepFds];
      const Packet packet = receive_packet(channel_.get(), &order, sizeof(order), MSG_DONTWAIT,
                                           passed, kPassedStepFds);
      if (packet.length == 0) {
        end_with_server();
      }
      if (packet.length != static_cast<ssize_t>(sizeof(order))) {
        return;
      }
      obey(order, passed);
    }
  }

  void obey(const Order& order, Descriptor (&passed)[kPassedStepFds]) {
    switch (order.kind) {
      case OrderKind::kArm:
        arm(order);
        break;
      case OrderKind::kStop:
        if (!children_.has_main_ended() && report_.verdict == Verdict::kNone) {
          report_.verdict = Verdict::kStopped;
          kill_all();
        }
        break;
      case OrderKind::kPrepare:
      case OrderKind::kStep:
      case OrderKind::kKeep:
      case OrderKind::kDrop:
      case OrderKind::kFork:
      case OrderKind::kCloseHead:
        cell_session_.obey(order, passed);
        break;
    }
    cell_session_.expect_more();
  }

  void arm(const Order& order) {
    children_.set_main(order.main_process);
    Order limits = order;
    if (order.head != 0) {
      // CPU is each step's.
      limits.cpu_us = kUnlimited;
      is_listening_ = true;
      cell_session_.begin(order);
    }
    limits_.begin_call(limits);
    if (order.wants_tmp_directory != 0) {
      Report report{};
      report.kind = ReportKind::kTmpDirectory;
      tell(report, tmp_directory_.get());
    }
  }

  [[noreturn]] void finish() {
    if (!children_.are_gone()) {
      limits_.sums().look_roughly();
      children_.end_all();
    }
    rusage usage{};
    if (getrusage(RUSAGE_CHILDREN, &usage) != 0) {
      channel_.fail(Status::failure(Step::kSupervise, errno, "getrusage"));
    }
    complete_report(report_, spec_, limits_.sums(), counted_, tmp_directory_, usage);
    if (!send_with_filters()) {
      tell(report_);
    }
    // A socket would have the server go on upon this processor, and this process wait for it
    // (net/core/sock.c, sock_def_readable: a synchronous wake).
    constexpr std::uint64_t kOnce = 1;
    // The end of this process tells the same, if later.
    (void)!write(end_.get(), &kOnce, sizeof(kOnce));
    _exit(0);
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
    for (const Descriptor* listener : {&answers_.listener(), &own_listener_}) {
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
  Descriptor own_listener_;  // of a cell's PID 1: of its own filter
  Descriptor link_;
  const Descriptor& timerfd_;
  const Descriptor& end_;
  Session& session_;
  bool is_listening_;
  Descriptor signals_;
  Report report_{};
  Limits limits_;
  Answers answers_;
  Children children_;
  CellSession cell_session_;
};

}  // namespace

void supervise(const Spec& spec, const ReportChannel& channel, Program& program,
               const Descriptor& tmp_directory, CountedCalls& counted, Descriptor listener,
               Session& session, const char* apparmor_label, const LauncherKey& key) {
  const Descriptor none;
  Supervisor supervisor(spec, channel, tmp_directory, counted, std::move(listener), Descriptor(),
                        none, none, none, session);
  if (spec.has(kExplain)) {
    supervisor.explain(key);
  }
  supervisor.run(program, apparmor_label);
}

void supervise_cell(const Spec& spec, const ReportChannel& channel, const Descriptor& tmp_directory,
                    CountedCalls& counted, Descriptor link, Descriptor own_listener,
                    const Descriptor& domain, const Descriptor& timerfd, const Descriptor& end,
                    const char* profile) {
  Session session;
  Supervisor supervisor(spec, channel, tmp_directory, counted, Descriptor(), std::move(link),
                        domain, timerfd, end, session);
  supervisor.run_cell(std::move(own_listener), profile);
}

}  // namespace codejail
