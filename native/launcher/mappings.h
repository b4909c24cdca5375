// How many mappings a process has: what the kernel keeps of each is no memory of the process's.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace codejail {

// Of the most that Linux lets a process have (vm.max_map_count).
constexpr std::uint64_t kMostMappings = 65530;

// The kernel's memory for the mappings of a process beyond those of an ordinary program: of each
// an area, its part of a tree, and, after forks, links to the areas of its ancestors (mm/vma.c,
// mm/rmap.c). `proc`: a descriptor of /proc. False where they can't be read.
bool read_mapping_bytes(int proc, pid_t process, std::uint64_t& bytes);
std::uint64_t mapping_bytes(std::uint64_t mappings);

}  // namespace codejail
