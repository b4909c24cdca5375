#include "launcher/interpreters.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

namespace codejail {
namespace {

// As many as the kernel follows (fs/exec.c, exec_binprm), and the loader of the last.
constexpr int kMostPrograms = 7;
// As much of a script as the kernel reads (BINPRM_BUF_SIZE).
constexpr std::size_t kFirstBytes = 256;
constexpr int kMostSegments = 256;

bool read_at(const Descriptor& file, void* bytes, std::size_t size, std::uint64_t offset) {
  return pread(file.get(), bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

// What follows #!, up to a blank.
std::string named_in(const char* line, std::size_t length) {
  const char* const end = std::find(line, line + length, '\n');
  const auto is_blank = [](char each) { return each == ' ' || each == '\t'; };
  const char* const name = std::find_if_not(line + 2, end, is_blank);
  return {name, std::find_if(name, end, is_blank)};
}

// Where a program names its loader; false where it can't be read. One that is linked statically
// names none.
bool loader_of(const Descriptor& file, const Elf64_Ehdr& head, std::string& path) {
  if (head.e_phnum > kMostSegments || head.e_phentsize != sizeof(Elf64_Phdr)) {
    return false;
  }
  for (std::uint64_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_at(file, &segment, sizeof(segment), head.e_phoff + i * sizeof(segment))) {
      return false;
    }
    if (segment.p_type == PT_INTERP) {
      char name[PATH_MAX] = {};
      if (segment.p_filesz >= sizeof(name) ||
          !read_at(file, name, segment.p_filesz, segment.p_offset)) {
        return false;
      }
      path = name;
      return true;
    }
  }
  return true;
}

// What runs a program that is open for reading, empty where nothing does.
bool runner_of(const Descriptor& file, std::string& path) {
  char first[kFirstBytes] = {};
  const ssize_t length = pread(file.get(), first, sizeof(first), 0);
  if (length < 2) {
    return false;
  }
  if (std::memcmp(first, "#!", 2) == 0) {
    path = named_in(first, static_cast<std::size_t>(length));
    return true;
  }
  Elf64_Ehdr head{};
  std::memcpy(&head, first, sizeof(head));
  return std::memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 && loader_of(file, head, path);
}

}  // namespace

bool may_read_all(const Descriptor& program) {
  char self[32];
  (void)std::snprintf(self, sizeof(self), "/proc/self/fd/%d", program.get());
  std::string path = self;
  for (int depth = 0; depth < kMostPrograms; ++depth) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    path.clear();
    if (!file.valid() || !runner_of(file, path)) {
      return false;
    }
    if (path.empty()) {
      return true;
    }
  }
  return false;
}

}  // namespace codejail
