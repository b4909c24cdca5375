// What a person can do about a failure for want of descriptors.
#pragma once

#include <string>

namespace codejail {

// The detail of a failed step, and after it the cure where one is known for its error.
std::string with_cure(int error, const std::string& detail);

}  // namespace codejail
