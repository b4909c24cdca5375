// The sized file systems of a jail: its root's, its directory's, and the one that its program
// writes to.
#pragma once

#include <cstddef>

#include "core/spec.h"

namespace codejail {

// The inodes of the one that a program writes to which are none of its files: its root, `tmp` and
// the directory of shared memory.
constexpr unsigned long long kOwnInodes = 3;

// The options of mount(2) for a record's size, with room for so many inodes more than it names.
void write_size(const RecordHeader& header, unsigned long long more, char* options,
                std::size_t length);

// Makes a directory that a mount will cover. Where one is there already, as in a cell, its mode
// does not matter.
Status make_covered_directory(const char* path);

// Mounts a record's file system at its path. Where it has data, the path of shared memory, both
// are directories of the one file system, so that its size counts what is written to either.
Status mount_tmpfs(const Spec& spec, const Record& record);

}  // namespace codejail
