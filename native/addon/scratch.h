// Memory for what is read from a pipe, or written to one, at once.
#pragma once

#include <array>

namespace codejail {

// As much as a pipe holds (pipe(7)).
using Scratch = std::array<char, 65536>;

}  // namespace codejail
