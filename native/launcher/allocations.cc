#include "launcher/allocations.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "core/process_memory.h"
#include "core/saturating.h"

namespace codejail {
namespace {

// What is refused is as large as any number that a program makes up.
std::uint64_t sum(std::uint64_t one, std::uint64_t other) {
  return one > kUnlimited - other ? kUnlimited : one + other;
}

void keep_larger(std::uint64_t& over, std::uint64_t wanted, std::uint64_t limit) {
  if (limit != kUnlimited && wanted > limit) {
    over = std::max(over, wanted - limit);
  }
}

// The memory beyond their contents in the file counts to RLIMIT_DATA too (fs/exec.c).
std::uint64_t writable_bytes(const Descriptor& file) {
  Elf64_Ehdr head{};
  if (pread(file.get(), &head, sizeof(head), 0) != static_cast<ssize_t>(sizeof(head)) ||
      std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64) {
    return 0;
  }
  std::uint64_t bytes = 0;
  for (unsigned i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part{};
    if (pread(file.get(), &part, sizeof(part),
              static_cast<off_t>(head.e_phoff + i * sizeof(part))) !=
        static_cast<ssize_t>(sizeof(part))) {
      break;
    }
    if (part.p_type == PT_LOAD && (part.p_flags & PF_W) != 0) {
      bytes = sum(bytes, part.p_memsz);
    }
  }
  return bytes;
}

}  // namespace

void Allocations::look(const Descriptor& proc, const Notification& call) {
  const bool is_remap = call.number() == SYS_mremap;
  const std::uint64_t wanted =
      is_remap ? saturating_difference(call.argument(2), call.argument(1)) : call.argument(1);
  char path[32];
  char text[4096];
  (void)std::snprintf(path, sizeof(path), "%u/status", call.caller());
  bool found = read_text(proc.get(), path, text, sizeof(text));
  // Where it can't be read, what was asked for is more than the limit by itself.
  const std::uint64_t data = found ? bytes_of(text, "\nVmData:", found) : 0;
  const std::uint64_t address = found ? bytes_of(text, "\nVmSize:", found) : 0;
  keep_larger(over_data_, sum(data, wanted), data_limit_);
  keep_larger(over_address_, sum(address, wanted), address_limit_);
}

void Allocations::look_at_image(const char* path) {
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC));
  if (file.valid()) {
    const std::uint64_t bytes = writable_bytes(file);
    keep_larger(over_data_, bytes, data_limit_);
    keep_larger(over_address_, bytes, address_limit_);
  }
}

std::uint64_t refused_above(const SpecHeader& header) {
  const std::uint64_t least = std::min(header.rlimits[RLIMIT_DATA], header.rlimits[RLIMIT_AS]);
  return least == kUnlimited ? 0 : least;
}

}  // namespace codejail
