#include "core/process_memory.h"

#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/descriptor.h"
#include "core/directory.h"

namespace codejail {

bool read_text(int directory, const char* path, char* text, std::size_t size) {
  Descriptor file(openat(directory, path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return false;
  }
  const ssize_t count = read(file.get(), text, size - 1);
  if (count <= 0) {
    return false;
  }
  text[count] = '\0';
  return true;
}

// `line` begins with a line break: the program chooses its own name, which stands in the same text.
std::uint64_t bytes_of(const char* text, const char* line, bool& found) {
  const char* at = std::strstr(text, line);
  found = found && at != nullptr;
  return at == nullptr ? 0 : std::strtoull(at + std::strlen(line), nullptr, 10) * 1024U;
}

std::uint64_t resident_of(const char* status, bool& found) {
  // Page tables too: a huge mapping of nothing is made of them. And what is swapped out,
  // when the host is short of memory.
  return bytes_of(status, "\nRssAnon:", found) + bytes_of(status, "\nRssShmem:", found) +
         bytes_of(status, "\nVmPTE:", found) + bytes_of(status, "\nVmSwap:", found);
}

bool read_memory(int directory, const char* path, Memory& memory) {
  char text[4096];
  bool found = read_text(directory, path, text, sizeof(text));
  if (!found) {
    return false;
  }
  memory.resident_bytes = resident_of(text, found);
  memory.data_bytes = bytes_of(text, "\nVmData:", found);
  memory.stack_bytes = bytes_of(text, "\nVmStk:", found);
  return found;
}

// Anonymous and shared memory; the pages of libraries are the host's and cost the jail nothing.
Memory memory_of(int proc, pid_t process) {
  char path[96];
  Memory memory;
  (void)std::snprintf(path, sizeof(path), "%d/status", process);
  if (read_memory(proc, path, memory)) {
    return memory;
  }
  // The memory of a process whose first thread has ended shows with the others only.
  (void)std::snprintf(path, sizeof(path), "%d/task", process);
  const Directory tasks =
      directory_of(Descriptor(openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
  if (!tasks) {
    return {};
  }
  while (const dirent* task = readdir(tasks.get())) {
    const long number = std::strtol(task->d_name, nullptr, 10);
    if (number <= 0) {
      continue;
    }
    (void)std::snprintf(path, sizeof(path), "%d/task/%ld/status", process, number);
    if (read_memory(proc, path, memory)) {
      return memory;
    }
  }
  return {};
}

}  // namespace codejail
