// The processes of jails, stopped at each system call; one of these can be made to fail.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "roles.h"

namespace faults {

// One system call that is to fail.
struct Fault {
  Role role = Role::kCount;
  std::uint64_t call = 0;
  unsigned occurrence = 0;  // in one process, from 1 on
  int error = 0;
  bool is_made = false;  // it is made all the same
};

class Tracees {
 public:
  // Traces a process and all that comes of it. False where the kernel refuses.
  bool seize(pid_t server);
  // One of them has stopped (waitpid(2)).
  void on_stop(pid_t tid, int status);
  void on_end(pid_t tid);

  // Threads that the server starts from now on are those which start launchers.
  void begin() { has_begun_ = true; }
  // Forgets what was counted.
  void record();
  // Role, call, how often in the process that makes it most, and how many processes make it.
  [[nodiscard]] std::string counts() const;
  void arm(const Fault& fault);
  // How often it came to be: 0 or 1.
  unsigned disarm();
  // Numbers and roles of those that are there, without the server's.
  [[nodiscard]] std::string alive() const;

 private:
  struct Tracee : Process {
    std::map<std::uint64_t, unsigned> counts;
    int injected = 0;  // errno to answer with
    bool has_other_argument = false;
    std::uint64_t first_argument = 0;
  };

  struct Count {
    unsigned most = 0;  // in one process
    unsigned processes = 0;
  };

  [[nodiscard]] bool is_thread_of_server(pid_t tid) const;
  void on_birth(pid_t tid, Tracee& parent);
  void on_syscall(pid_t tid, Tracee& tracee);
  void on_entry(pid_t tid, Tracee& tracee);
  void on_exit(pid_t tid, Tracee& tracee, bool has_failed);
  static void fail_instead(pid_t tid, Tracee& tracee);
  void forget_counts();

  pid_t server_ = -1;
  bool has_begun_ = false;
  std::map<pid_t, Tracee> tracees_;
  std::set<pid_t> unknown_;  // stopped before their parent's event told whose they are
  std::map<std::pair<Role, std::uint64_t>, Count> recorded_;
  Fault fault_;
  bool is_armed_ = false;
  unsigned fired_ = 0;
};

}  // namespace faults
