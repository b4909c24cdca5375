#include "cell/memory_map.h"

#include <string.h>

#include <cstdlib>
#include <cstring>

namespace codejail {
namespace {

constexpr std::size_t kModeLength = 4;

AreaKind kind_of(const char* name) {
  if (name[0] == '/') {
    return AreaKind::kFile;
  }
  return std::strncmp(name, "[v", 2) == 0 ? AreaKind::kKernel : AreaKind::kOwn;
}

}  // namespace

bool read_area(const char* line, Area& area) {
  Area read;
  char* rest = nullptr;
  read.start = std::strtoull(line, &rest, 16);
  if (rest == line || *rest != '-') {
    return false;
  }
  const char* const second = rest + 1;
  read.end = std::strtoull(second, &rest, 16);
  if (rest == second || *rest != ' ' || read.start > read.end) {
    return false;
  }
  const char* const mode = rest + 1;
  if (strnlen(mode, kModeLength) < kModeLength) {
    return false;
  }
  // After the mode: an offset, a device and an inode.
  const char* name = mode;
  for (int word = 0; word < 4; ++word) {
    name += std::strcspn(name, " ");
    name += std::strspn(name, " ");
  }
  read.kind = kind_of(name);
  read.is_readable = mode[0] == 'r';
  read.is_writable = mode[1] == 'w';
  read.is_executable = mode[2] == 'x';
  read.is_private = mode[3] == 'p';
  area = read;
  return true;
}

MemoryMap::MemoryMap() : file_(std::fopen("/proc/self/maps", "re")) {}

bool MemoryMap::next(Area& area) {
  char line[8192];
  while (file_ && std::fgets(line, sizeof(line), file_.get()) != nullptr) {
    if (read_area(line, area)) {
      return true;
    }
  }
  return false;
}

bool find_shared_memory(bool& is_shared) {
  MemoryMap map;
  Area area;
  is_shared = false;
  while (map.next(area)) {
    is_shared = is_shared || (area.is_writable && !area.is_private);
  }
  return map.is_whole();
}

}  // namespace codejail
