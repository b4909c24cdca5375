// The program of the spec: opened and ready to be started.
#pragma once

#include <sys/types.h>

#include <memory>

#include "core/descriptor.h"
#include "core/report_channel.h"
#include "core/spec.h"

namespace codejail {

class Program {
 public:
  // Opens the binary and lays out argv and envp, while there is still privilege to report with.
  Status prepare(const Spec& spec);
  // Of a template: where the cells' supervisors hand their descriptors over, its descriptor 5.
  void set_handover(Descriptor handover) { handover_ = std::move(handover); }
  // Without a PID namespace: what the child enters, and the launcher does not.
  void set_landlock(Descriptor ruleset) { landlock_ = std::move(ruleset); }
  // Forks; the child applies its own limits, takes its standard streams and becomes the program.
  // A failure in the child is reported on `channel`; the child then ends. What is the program's
  // alone is closed here: what is sent to a template that has died would wait in a socket of which
  // somebody holds that end, and its sender would wait for it.
  [[nodiscard]] pid_t start(const Spec& spec, const ReportChannel& channel);

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  using Strings = std::unique_ptr<const char*[], Free>;

  void leave_launcher(const Spec& spec, const ReportChannel& channel, pid_t launcher) const;
  [[noreturn]] void become(const Spec& spec, const ReportChannel& channel, pid_t launcher) const;

  Descriptor binary_;
  Descriptor handover_;
  Descriptor landlock_;
  const char* working_directory_ = nullptr;
  Strings arguments_;
  Strings environment_;
};

}  // namespace codejail
