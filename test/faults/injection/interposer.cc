// Preloaded into a server (LD_PRELOAD): makes one call of the addon's into libc fail. The addon's
// calls are told from Node's by where they come from. What to do, and what was seen, is in a file
// that the server writes and reads, named by FAULTS_SHARED; its layout is interposer.ts's too.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kFunctions = 64;
constexpr std::size_t kNameBytes = 32;

struct Shared {
  std::atomic<std::uint32_t> has_begun;
  std::atomic<std::uint32_t> is_armed;
  std::uint32_t thread;
  std::uint32_t function;
  std::uint32_t occurrence;
  std::int32_t error;
  std::uint32_t is_made;
  std::atomic<std::uint32_t> fired;
  std::uint32_t padding[8];
  std::atomic<std::uint32_t> counts[2][kFunctions];
  std::uint32_t more_padding[112];
  char names[kFunctions][kNameBytes];
};
static_assert(offsetof(Shared, counts) == 64 && offsetof(Shared, names) == 1024);

enum Thread : std::uint32_t { kEventLoop, kWorker };

// Each function's place in the table; calls through syscall(2) have places by their numbers.
// clang-format off
#define FUNCTIONS(F)                                                                    \
  F(close) F(closedir) F(epoll_create1) F(epoll_ctl) F(epoll_wait) F(eventfd)           \
  F(fchmod) F(fchown) F(fcntl64) F(fdopendir) F(flock) F(fstat64) F(fstatat64)          \
  F(futimens) F(getrandom) F(getsockopt) F(kill) F(lgetxattr) F(lseek64) F(lstat64)     \
  F(memfd_create) F(mkdirat) F(mmap64) F(munmap) F(open64) F(openat64) F(pipe2)         \
  F(poll) F(pread64) F(read) F(readdir64) F(readlink) F(recv) F(recvmsg) F(renameat)    \
  F(rmdir) F(sched_getaffinity) F(sched_setaffinity) F(send) F(sendmsg) F(setsockopt)   \
  F(shutdown) F(socket) F(socketpair) F(timerfd_create) F(timerfd_settime) F(unlinkat)  \
  F(waitid) F(write)
// clang-format on

enum Function : std::uint32_t {
#define PLACE(name) k_##name,
  FUNCTIONS(PLACE)
#undef PLACE
      k_openat2,
  k_pidfd_send_signal,
  k_pidfd_open,
  k_syscall,
  kCount,
};
static_assert(kCount <= kFunctions);

constexpr const char* kNames[] = {
#define NAME(name) #name,
    FUNCTIONS(NAME)
#undef NAME
        "openat2",
    "pidfd_send_signal",
    "pidfd_open",
    "syscall",
};

Shared* shared = nullptr;
std::atomic<std::uintptr_t> addon_begin{0};
std::atomic<std::uintptr_t> addon_end{0};
pid_t process = 0;
// Of a thread that starts launchers: injector.cc's.
thread_local bool is_spawn_thread = false;

__attribute__((constructor)) void begin() {
  const char* path = std::getenv("FAULTS_SHARED");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) {
    return;
  }
  void* mapped = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) {
    return;
  }
  process = getpid();
  auto* table = static_cast<Shared*>(mapped);
  for (std::size_t i = 0; i < kCount; ++i) {
    std::strncpy(table->names[i], kNames[i], kNameBytes - 1);
  }
  shared = table;
}

int find_addon(dl_phdr_info* info, std::size_t, void*) {
  constexpr char kName[] = "codejail.node";
  const std::size_t length = std::strlen(info->dlpi_name);
  if (length < sizeof(kName) - 1 ||
      std::strcmp(info->dlpi_name + length - (sizeof(kName) - 1), kName) != 0) {
    return 0;
  }
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) {
      addon_end = info->dlpi_addr + segment.p_vaddr + segment.p_memsz;
      addon_begin = info->dlpi_addr + segment.p_vaddr;
    }
  }
  return 1;
}

bool is_addon(const void* caller) {
  if (addon_begin == 0) {
    (void)dl_iterate_phdr(find_addon, nullptr);
  }
  const auto at = reinterpret_cast<std::uintptr_t>(caller);
  return addon_begin != 0 && at >= addon_begin && at < addon_end;
}

// Whether this call is the one that is to fail.
bool is_to_fail(std::uint32_t function, const void* caller) {
  // Not in a child that shares this memory, nor before there is anything to do.
  if (shared == nullptr || shared->has_begun == 0 || is_spawn_thread || !is_addon(caller)) {
    return false;
  }
  const Thread thread = syscall(SYS_gettid) == process ? kEventLoop : kWorker;
  const std::uint32_t count = ++shared->counts[thread][function];
  return shared->is_armed != 0 && shared->thread == thread && shared->function == function &&
         shared->occurrence == count && shared->is_armed.exchange(0) != 0;
}

using Any = long (*)(long, long, long, long, long, long);

Any next(const char* name) {
  return reinterpret_cast<Any>(dlsym(RTLD_NEXT, name));
}

constexpr bool gives_pointer_or_null(std::uint32_t function) {
  return function == k_fdopendir || function == k_readdir64;
}

// All arguments and answers are whole numbers or pointers, in registers.
long call(std::uint32_t function, Any real, const void* caller, long a, long b, long c, long d,
          long e, long f) {
  if (!is_to_fail(function, caller)) {
    return real(a, b, c, d, e, f);
  }
  if (shared->is_made != 0) {
    (void)real(a, b, c, d, e, f);
  }
  ++shared->fired;
  errno = shared->error;
  return gives_pointer_or_null(function) ? 0 : -1;
}

struct Start {
  void* (*routine)(void*);
  void* argument;
};

void* run_spawn_thread(void* data) {
  const Start start = *static_cast<Start*>(data);
  std::free(data);
  is_spawn_thread = true;
  return start.routine(start.argument);
}

}  // namespace

#define INTERPOSE(name)                                                               \
  extern "C" __attribute__((visibility("default"))) long interposed_##name(           \
      long a, long b, long c, long d, long e, long f) asm(#name);                     \
  extern "C" long interposed_##name(long a, long b, long c, long d, long e, long f) { \
    static const Any real = next(#name);                                              \
    return call(k_##name, real, __builtin_return_address(0), a, b, c, d, e, f);       \
  }
FUNCTIONS(INTERPOSE)
#undef INTERPOSE

extern "C" __attribute__((visibility("default"))) long interposed_syscall(long number, long a,
                                                                          long b, long c, long d,
                                                                          long e,
                                                                          long f) asm("syscall");
extern "C" long interposed_syscall(long number, long a, long b, long c, long d, long e, long f) {
  using Syscall = long (*)(long, long, long, long, long, long, long);
  static const auto real = reinterpret_cast<Syscall>(dlsym(RTLD_NEXT, "syscall"));
  const std::uint32_t function = number == SYS_openat2             ? k_openat2
                                 : number == SYS_pidfd_send_signal ? k_pidfd_send_signal
                                 : number == SYS_pidfd_open        ? k_pidfd_open
                                                                   : k_syscall;
  if (number == SYS_gettid || !is_to_fail(function, __builtin_return_address(0))) {
    return real(number, a, b, c, d, e, f);
  }
  ++shared->fired;
  errno = shared->error;
  return -1;
}

extern "C" __attribute__((visibility("default"))) int pthread_create(
    pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*), void* argument) {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (shared == nullptr || shared->has_begun == 0) {
    return real(thread, attributes, routine, argument);
  }
  auto* start = static_cast<Start*>(std::malloc(sizeof(Start)));
  if (start == nullptr) {
    return EAGAIN;
  }
  *start = {routine, argument};
  return real(thread, attributes, run_spawn_thread, start);
}
