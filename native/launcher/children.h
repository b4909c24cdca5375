// The processes of a jail, as those of its PID 1: who has ended, and how all are ended.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <functional>

#include "core/report.h"
#include "launcher/sampled_sums.h"

namespace codejail {

// SIGKILL for all that this process may signal: in a PID namespace the jail, else the jail's own
// uid.
void kill_all();

class Children {
 public:
  // How the main process ends is written to `report`. `by_uid`: there is no PID namespace. `ask`
  // looks for the order that names a cell's main process, which is there before its program runs.
  Children(Report& report, SampledSums& sums, bool by_uid, std::function<void()> ask)
      : report_(report), sums_(sums), by_uid_(by_uid), ask_(std::move(ask)) {}

  void set_main(pid_t process) { main_ = process; }
  // The profile of AppArmor that has to hold to the main process's end, or null. Outlives this.
  void set_profile(const char* profile) { profile_ = profile; }

  [[nodiscard]] bool has_main_ended() const { return main_ended_; }
  // Whether the last `reap` left some that had ended.
  [[nodiscard]] bool has_more_to_reap() const { return has_more_to_reap_; }
  // Whether nobody but this process is left.
  [[nodiscard]] bool are_gone() const;

  // Told each that was waited for. Where it is set, no process is the main one by its number.
  using OnEnd = std::function<void(pid_t process, int status, const rusage& usage)>;
  void set_on_end(OnEnd on_end) { on_end_ = std::move(on_end); }
  // The main process is over.
  void end_main(int status);

  // Those that have ended, but not more at a time than a look at the sums may wait for.
  void reap();
  // All that is left, and waits until nobody is.
  void end_all();

 private:
  void reap(int options, int most);
  pid_t next_ended(int options);

  Report& report_;
  SampledSums& sums_;
  const bool by_uid_;
  std::function<void()> ask_;
  OnEnd on_end_;
  const char* profile_ = nullptr;
  pid_t main_ = -1;
  bool main_ended_ = false;
  bool has_children_ = true;  // as the last look for them said
  bool has_more_to_reap_ = false;
};

}  // namespace codejail
