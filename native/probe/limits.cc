#include <fcntl.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {
namespace {

constexpr int kMostProbedFiles = 4096;

void check_memory() {
  const long limit = expected_number("memory", 0);
  if (limit > 0) {
    void* mapped = mmap(nullptr, static_cast<std::size_t>(limit) * 4, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    report("memory", "map four times its memory", mapped == MAP_FAILED);
  }
  report_refused("memory", "take memory by memfd_create", memfd_create("probe", 0));
  report_refused("memory", "take System V shared memory", shmget(IPC_PRIVATE, 4096, IPC_CREAT));
  void* shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  report("memory", "take shared anonymous memory", shared == MAP_FAILED);
  void* growing = mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
  report("memory", "take memory that counts as a stack", growing == MAP_FAILED);
  // Where /proc hides others' processes, none of what such a one does would be in a sum.
  report("memory", "hide from the sums", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0, "", kHideFromSums);
}

void check_cpu() {
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_CPU, &limit) == 0;
  const auto seconds = static_cast<rlim_t>(expected_number("cpu", 0));
  // Beyond the limit of the sums, which is exact (native/core/resource_limits.cc).
  report("cpu", "be without a CPU limit",
         known && limit.rlim_cur >= seconds && limit.rlim_cur <= 2 * seconds + 2 &&
             limit.rlim_max == limit.rlim_cur + 1);
}

void check_tasks() {
  const long allowed = expected_number("nproc", 0);
  long made = 0;
  pid_t children[256];
  while (made < 256 && made <= allowed + 8) {
    const pid_t child = fork();
    if (child < 0) {
      break;
    }
    if (child == 0) {
      pause();
      _exit(0);
    }
    children[made++] = child;
  }
  for (long i = 0; i < made; ++i) {
    kill(children[i], SIGKILL);
    waitpid(children[i], nullptr, 0);
  }
  char seen[64];
  (void)std::snprintf(seen, sizeof(seen), "%ld processes beside itself", made);
  report("tasks", "create more processes than its limit", made == allowed - 1, seen);
}

long fill_file(const char* path, long most) {
  static const char block[16384] = {1};
  const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  long written = 0;
  while (file >= 0 && written < most) {
    const ssize_t count = write(file, block, sizeof(block));
    if (count <= 0) {
      break;
    }
    written += count;
  }
  if (file >= 0) {
    close(file);
  }
  return written;
}

void check_disk() {
  (void)signal(SIGXFSZ, SIG_IGN);
  const long each = expected_number("fsize", 0);
  const long all = expected_number("disk", 0);
  const long files = expected_number("files", 0);
  const long one = fill_file("tmp/one", each * 2);
  report("disk", "write a file over its size", one > 0 && one <= each);
  long total = one;
  for (int i = 0; i < 16 && total <= all * 2; ++i) {
    char path[32];
    (void)std::snprintf(path, sizeof(path), "tmp/more%d", i);
    total += fill_file(path, each);
  }
  report("disk", "write more than its total", total <= all);
  for (int i = 0; i < 16; ++i) {
    char path[32];
    (void)std::snprintf(path, sizeof(path), "tmp/more%d", i);
    unlink(path);
  }
  unlink("tmp/one");
  long made = 0;
  for (; made < kMostProbedFiles; ++made) {
    char path[32];
    (void)std::snprintf(path, sizeof(path), "tmp/f%ld", made);
    const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
      break;
    }
    close(file);
  }
  report("disk", "create more files than its limit", made <= files);
}

}  // namespace

void check_limits() {
  check_memory();
  check_cpu();
  check_tasks();
  check_disk();
}

}  // namespace codejail_probe
