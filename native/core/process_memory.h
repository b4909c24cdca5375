// What the kernel tells of a process's memory, by the text files of proc(5).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace codejail {

// `path` is looked up from `directory` (openat(2)).
bool read_text(int directory, const char* path, char* text, std::size_t size);
// The kilobytes after `line`, in bytes. `found` becomes false where the line is missing.
std::uint64_t bytes_of(const char* text, const char* line, bool& found);
// Anonymous and shared memory and page tables, by the text of a task's `status` file.
std::uint64_t resident_of(const char* status, bool& found);

struct Memory {
  std::uint64_t resident_bytes = 0;  // as `resident_of` has it
  std::uint64_t data_bytes = 0;      // what counts to RLIMIT_DATA
  std::uint64_t stack_bytes = 0;     // of the first thread's stack
};
// Of the task whose `status` file this is; false where it has ended.
bool read_memory(int directory, const char* path, Memory& memory);
// Of a process, by the threads that are left where its first one has ended. `proc`: of /proc.
Memory memory_of(int proc, pid_t process);

}  // namespace codejail
