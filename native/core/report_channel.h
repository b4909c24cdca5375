// The jail's end of the report channel.
#pragma once

#include <cstddef>

#include "core/report.h"
#include "core/spec.h"

namespace codejail {

class ReportChannel {
 public:
  explicit ReportChannel(int descriptor) : descriptor_(descriptor) {}

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool send(const Report& report, int passed_descriptor = -1) const;
  // With descriptors: at most kMostReported.
  [[nodiscard]] bool send(const Report& report, const int* passed, std::size_t count) const;
  [[nodiscard]] bool tell_failure(const Status& status) const;
  // Reports the failed step and ends this process. The program has not started, and never will.
  [[noreturn]] void fail(const Status& status) const;
  // The same where the step has failed.
  void require(const Status& status) const {
    if (!status.ok()) {
      fail(status);
    }
  }

 private:
  int descriptor_;
};

}  // namespace codejail
