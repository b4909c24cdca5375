// Code and constants of the interpreter in huge pages: every cell maps them anew, and one fault
// then serves what else takes hundreds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cell/page_ranges.h"

namespace codejail {

// Moves those 2 MiB of this process's read-only file mappings into huge pages of which calls use a
// good part, and leaves the ranges without what is there now. Does nothing where the kernel gives
// no huge pages. Returns the number of ranges that are left.
std::size_t take_huge_pages(PageRange* ranges, std::size_t count);

}  // namespace codejail
