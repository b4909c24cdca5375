#include "memory_map.h"

#include <cinttypes>
#include <cstring>

namespace codejail {
namespace {

AreaKind kind_of(const char* name) {
  if (name[0] == '/') {
    return AreaKind::kFile;
  }
  return std::strncmp(name, "[v", 2) == 0 ? AreaKind::kKernel : AreaKind::kOwn;
}

}  // namespace

bool read_area(const char* line, Area& area) {
  char mode[5] = {};
  char name[16] = {};
  Area read;
  if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %15s", &read.start, &read.end,
                  mode, name) < 3 ||
      read.start > read.end) {
    return false;
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

bool shares_writable_memory() {
  MemoryMap map;
  Area area;
  while (map.next(area)) {
    if (area.is_writable && !area.is_private) {
      return true;
    }
  }
  return false;
}

}  // namespace codejail
