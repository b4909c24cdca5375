// What this process has mapped, by proc_pid_maps(5).
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>

namespace codejail {

// The kernel's own areas, [vdso] and its like, are no memory of the process's.
enum class AreaKind { kOwn, kFile, kKernel };

struct Area {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  AreaKind kind = AreaKind::kOwn;
  bool is_readable = false;
  bool is_writable = false;
  bool is_executable = false;
  bool is_private = false;
};

// One line of the list; false where it is none.
[[nodiscard]] bool read_area(const char* line, Area& area);

// Whether something is mapped that a fork shares with this process, to be written by both. False
// where the list can't be read.
[[nodiscard]] bool find_shared_memory(bool& is_shared);

class MemoryMap {
 public:
  MemoryMap();
  // The next area, upwards. False after the last one, and where the list can't be read.
  bool next(Area& area);
  // Once there is no next one: whether all of the list was read.
  [[nodiscard]] bool is_whole() const { return file_ && std::ferror(file_.get()) == 0; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }  // only read
  };
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace codejail
