#include "launcher/program_memory.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/launcher_key.h"

namespace codejail {
namespace {

iovec at(std::uint64_t address, std::size_t size) {
  return {reinterpret_cast<void*>(address), size};  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace

Descriptor ProgramMemory::open_file(std::uint32_t task, int flags) const {
  char path[32];
  (void)std::snprintf(path, sizeof(path), "%u/mem", task);
  return Descriptor(openat(proc_.get(), path, flags | O_CLOEXEC));
}

bool ProgramMemory::read(std::uint32_t task, std::uint64_t address, void* target,
                         std::size_t size) const {
  const iovec own{target, size};
  const iovec foreign = at(address, size);
  const long count = syscall(SYS_process_vm_readv, with_key(key_, static_cast<int>(task)), &own, 1L,
                             &foreign, 1L, 0L);
  if (count >= 0 || errno == EFAULT) {
    return count == static_cast<long>(size);
  }
  const Descriptor file = open_file(task, O_RDONLY);
  return file.valid() &&
         pread(file.get(), target, size, static_cast<off_t>(address)) == static_cast<ssize_t>(size);
}

bool ProgramMemory::write(std::uint32_t task, std::uint64_t address, const void* source,
                          std::size_t size) const {
  const iovec own{const_cast<void*>(source), size};
  const iovec foreign = at(address, size);
  const long count = syscall(SYS_process_vm_writev, with_key(key_, static_cast<int>(task)), &own,
                             1L, &foreign, 1L, 0L);
  if (count >= 0 || errno == EFAULT) {
    return count == static_cast<long>(size);
  }
  const Descriptor file = open_file(task, O_WRONLY);
  return file.valid() && pwrite(file.get(), source, size, static_cast<off_t>(address)) ==
                             static_cast<ssize_t>(size);
}

}  // namespace codejail
