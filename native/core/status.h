// How a step of the set-up ended: which step, with which errno, and on what.
#pragma once

#include <cerrno>

#include "core/step.h"

namespace codejail {

class [[nodiscard]] Status {
 public:
  static Status success() { return Status(); }
  // `detail` must outlive the status: a literal, or text inside the mapped spec.
  static Status failure(Step step, int error, const char* detail = "") {
    Status status;
    status.step_ = step;
    status.error_ = error == 0 ? EIO : error;
    status.detail_ = detail;
    return status;
  }

  [[nodiscard]] bool ok() const { return error_ == 0; }
  [[nodiscard]] Step step() const { return step_; }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] const char* detail() const { return detail_; }

 private:
  Step step_ = Step::kReadSpec;
  int error_ = 0;
  const char* detail_ = "";
};

}  // namespace codejail
