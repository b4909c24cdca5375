#include "tracees.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace faults {
namespace {

constexpr unsigned long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
                                   PTRACE_O_EXITKILL;

void resume(pid_t tid, const Process& process, int signal = 0) {
  // ESRCH: it was killed meanwhile, and its end comes next.
  (void)ptrace(is_traced(process.role) ? PTRACE_SYSCALL : PTRACE_CONT, tid, nullptr,
               static_cast<long>(signal));
}

void write_registers(pid_t tid, user_regs_struct& registers) {
  (void)ptrace(PTRACE_SETREGS, tid, nullptr, &registers);
}

}  // namespace

bool Tracees::seize(pid_t server) {
  server_ = server;
  tracees_[server].role = Role::kServer;
  return ptrace(PTRACE_SEIZE, server, nullptr, kOptions) == 0;
}

bool Tracees::is_thread_of_server(pid_t tid) const {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%d", server_, tid);
  return access(path, F_OK) == 0;
}

void Tracees::on_birth(pid_t tid, Tracee& parent) {
  unsigned long message = 0;
  if (ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &message) != 0) {
    return;
  }
  const auto child = static_cast<pid_t>(message);
  Tracee tracee;
  if (parent.role != Role::kServer) {
    static_cast<Process&>(tracee) = child_of(parent);
  } else if (is_thread_of_server(child)) {
    tracee.role = has_begun_ ? Role::kSpawnThread : Role::kServer;
  } else {
    // A template's or a call's of before `begin`.
    tracee.role = Role::kSpawnChild;
  }
  const Tracee& added = tracees_[child] = tracee;
  if (unknown_.erase(child) > 0) {
    resume(child, added);
  }
}

// Not -1, at which a filter of the process would look too (seccomp(2)): a call that it allows, and
// that changes nothing.
void Tracees::fail_instead(pid_t tid, Tracee& tracee) {
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) != 0) {
    return;
  }
  if (tracee.call == SYS_read || tracee.call == SYS_write || tracee.call == SYS_brk) {
    tracee.has_other_argument = true;
    tracee.first_argument = registers.rdi;
    registers.rdi = ~0ULL;
    if (tracee.call == SYS_brk) {
      // Its failure is that nothing has changed, not an error number.
      tracee.injected = 0;
    }
  } else {
    registers.orig_rax = SYS_getpid;
  }
  write_registers(tid, registers);
}

void Tracees::on_entry(pid_t tid, Tracee& tracee) {
  const unsigned count = ++tracee.counts[tracee.call];
  Count& all = recorded_[{tracee.role, tracee.call}];
  all.most = std::max(all.most, count);
  all.processes += count == 1 ? 1 : 0;
  if (!is_armed_ || fault_.role != tracee.role || fault_.call != tracee.call ||
      fault_.occurrence != count) {
    return;
  }
  is_armed_ = false;
  ++fired_;
  tracee.injected = fault_.error;
  if (!fault_.is_made) {
    fail_instead(tid, tracee);
  }
}

void Tracees::on_exit(pid_t tid, Tracee& tracee, bool has_failed) {
  if (tracee.injected == 0 && !tracee.has_other_argument) {
    if (!has_failed) {
      const Role before = tracee.role;
      end_call(tracee);
      if (tracee.role != before) {
        tracee.counts.clear();
      }
    }
    return;
  }
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) == 0) {
    if (tracee.has_other_argument) {
      // A system call leaves the registers of its arguments as they were.
      registers.rdi = tracee.first_argument;
    }
    if (tracee.injected != 0) {
      registers.rax = static_cast<unsigned long long>(-static_cast<long long>(tracee.injected));
    }
    write_registers(tid, registers);
  }
  tracee.injected = 0;
  tracee.has_other_argument = false;
}

void Tracees::on_syscall(pid_t tid, Tracee& tracee) {
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0) {
    return;
  }
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    begin_call(tid, tracee, info);
    on_entry(tid, tracee);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    on_exit(tid, tracee, info.exit.is_error != 0);
  }
}

void Tracees::on_stop(pid_t tid, int status) {
  const auto found = tracees_.find(tid);
  if (found == tracees_.end()) {
    unknown_.insert(tid);
    return;
  }
  Tracee& tracee = found->second;
  const int signal = WSTOPSIG(status);
  switch (status >> 16) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      on_birth(tid, tracee);
      resume(tid, tracee);
      return;
    case PTRACE_EVENT_EXEC:
      if (tracee.role != Role::kServer) {
        if (!begin_program(tid, tracee)) {
          std::fputs("injector: the spec can't be read\n", stderr);
          std::exit(70);
        }
        tracee.counts.clear();
      }
      resume(tid, tracee);
      return;
    case PTRACE_EVENT_STOP:
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
        (void)ptrace(PTRACE_LISTEN, tid, nullptr, nullptr);
        return;
      }
      resume(tid, tracee);
      return;
    default:
      break;
  }
  if (signal == (SIGTRAP | 0x80)) {
    on_syscall(tid, tracee);
    resume(tid, tracee);
    return;
  }
  resume(tid, tracee, signal);
}

void Tracees::on_end(pid_t tid) {
  tracees_.erase(tid);
  unknown_.erase(tid);
}

// Of a process that has been there before, what it does from now on is counted.
void Tracees::forget_counts() {
  for (auto& [tid, tracee] : tracees_) {
    tracee.counts.clear();
  }
}

void Tracees::record() {
  recorded_.clear();
  forget_counts();
}

std::string Tracees::counts() const {
  std::string answer;
  for (const auto& [key, count] : recorded_) {
    char entry[96];
    std::snprintf(entry, sizeof(entry), "%s%s %llu %u %u", answer.empty() ? "" : ",",
                  name_of(key.first), static_cast<unsigned long long>(key.second), count.most,
                  count.processes);
    answer += entry;
  }
  return answer;
}

void Tracees::arm(const Fault& fault) {
  forget_counts();
  fault_ = fault;
  is_armed_ = true;
  fired_ = 0;
}

unsigned Tracees::disarm() {
  is_armed_ = false;
  return fired_;
}

std::string Tracees::alive() const {
  std::string answer;
  for (const auto& [tid, tracee] : tracees_) {
    if (tracee.role != Role::kServer) {
      answer += (answer.empty() ? "" : ",") + std::to_string(tid) + " " + name_of(tracee.role);
    }
  }
  return answer;
}

}  // namespace faults
