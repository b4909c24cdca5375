// Files that nobody has a descriptor of any more, and that are there all the same: poll(2) and
// select(2) hold what they wait for, which another thread may close meanwhile.
#pragma once

#include <cstdint>

namespace codejail {

// How many there may be in the whole jail: what its threads wait for, whether it is closed or not.
// `proc`: a descriptor of /proc.
std::uint64_t count_polled_files(int proc, std::uint64_t most_files);

}  // namespace codejail
