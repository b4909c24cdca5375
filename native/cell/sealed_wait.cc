#include "cell/sealed_wait.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "core/descriptor.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

constexpr long kMseal = 462;  // newer than the headers that this may be built with

// Sets a byte, then reads, for ever.
#if defined(__x86_64__)
constexpr std::uint8_t kCode[] = {
    0x41, 0xc6, 0x00, 0x01,  // movb $1, (%r8)
    0x31, 0xc0,  // xorl %eax, %eax: SYS_read; the descriptor and so on stay where they are
    0x0f, 0x05,  // syscall
    0xeb, 0xfa,  // jmp to the xorl
};
#elif defined(__aarch64__)
constexpr std::uint32_t kCode[] = {
    0x39000289,  // strb w9, [x20]
    0xaa1303e0,  // mov x0, x19: the descriptor, whose place the result takes
    0xd4000001,  // svc #0
    0x17fffffe,  // b to the mov
};
#endif

void* sealed = nullptr;

}  // namespace

void make_sealed_wait() {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Descriptor written(memfd_create("codejail-wait", MFD_CLOEXEC));
  if (!written.valid() ||
      !write_whole(written.get(), reinterpret_cast<const char*>(kCode), sizeof(kCode)) ||
      ftruncate(written.get(), static_cast<off_t>(size)) != 0) {
    return;
  }
  // Opened for reading: what is mapped so can't be made writable, nor be written to by
  // /proc/self/mem (mm/gup.c, check_vma_flags).
  char path[32];
  (void)std::snprintf(path, sizeof(path), "/proc/self/fd/%d", written.get());
  const Descriptor read_only(open(path, O_RDONLY | O_CLOEXEC));
  void* const page =
      read_only.valid() ? mmap(nullptr, size, PROT_READ | PROT_EXEC, MAP_SHARED, read_only.get(), 0)
                        : MAP_FAILED;
  if (page == MAP_FAILED) {
    return;
  }
  if (syscall(kMseal, page, size, 0) != 0) {
    (void)munmap(page, size);  // of no use, and no harm
    return;
  }
  sealed = page;
}

bool has_sealed_wait() {
  return sealed != nullptr;
}

void wait_sealed(std::atomic<bool>& is_done, int descriptor) {
  static std::uint64_t unread;
#if defined(__x86_64__)
  register void* done asm("r8") = &is_done;
  asm volatile("jmp *%0"
               :
               : "r"(sealed), "r"(done), "D"(descriptor), "S"(&unread), "d"(sizeof(unread))
               : "memory");
#elif defined(__aarch64__)
  register void* done asm("x20") = &is_done;
  register long number asm("x19") = descriptor;
  register void* target asm("x1") = &unread;
  register long size asm("x2") = sizeof(unread);
  register long one asm("x9") = 1;
  register long call asm("x8") = SYS_read;
  asm volatile("br %0"
               :
               : "r"(sealed), "r"(done), "r"(number), "r"(target), "r"(size), "r"(one), "r"(call)
               : "memory");
#endif
  __builtin_unreachable();
}

}  // namespace codejail
