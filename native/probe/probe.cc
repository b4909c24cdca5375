// Runs inside a jail that is built exactly as a call's would be, and tries to break each guarantee.
// With a word instead of expectations it misbehaves in one way, to be ended by the jail.
#include "probe/probe.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {
namespace {

// Whatever hides a process from the sums is tried before: its children inherit it.
void hide() {
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Twice as a parent and its child: each stays below the limit, both together don't.
void fork_once() {
  if (fork() < 0) {
    _exit(3);
  }
}

[[noreturn]] void burn() {
  hide();
  fork_once();
  for (volatile unsigned long spin = 0;; spin = spin + 1) {
  }
}

[[noreturn]] void hoard(const char* bytes) {
  hide();
  fork_once();
  const std::size_t size = std::strtoul(bytes, nullptr, 10);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    _exit(4);
  }
  std::memset(memory, 1, size);
  for (;;) {
    pause();
  }
}

// Succeeds where it is kept from making more processes than that, this one included, and one more
// for a launcher that is about to end.
[[noreturn]] void multiply(const char* limit) {
  const long allowed = std::strtol(limit, nullptr, 10);
  long made = 1;
  for (; made <= allowed + 1; ++made) {
    const pid_t child = fork();
    if (child < 0) {
      _exit(0);
    }
    if (child == 0) {
      for (;;) {
        pause();
      }
    }
  }
  _exit(6);
}

[[noreturn]] void flood() {
  static const char block[65536] = {'x'};
  while (write(STDOUT_FILENO, block, sizeof(block)) > 0) {
  }
  _exit(5);
}

}  // namespace

int run_probe(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  if (std::strcmp(mode, "burn") == 0) {
    burn();
  }
  if (std::strcmp(mode, "hoard") == 0 && argc > 2) {
    hoard(argv[2]);
  }
  if (std::strcmp(mode, "multiply") == 0 && argc > 2) {
    multiply(argv[2]);
  }
  if (std::strcmp(mode, "flood") == 0) {
    flood();
  }
  if (std::strcmp(mode, "sleep") == 0) {
    for (;;) {
      pause();
    }
  }
  // Unbuffered would cost a call a line; a killed probe has no complete list, which is a failure
  // too.
  read_expectations(argc, argv);
  check_descriptors();
  check_apparmor();
  check_files();
  check_network();
  check_identity();
  check_processes();
  check_metadata();
  // Forked children must not print what is buffered a second time.
  (void)std::fflush(stdout);
  check_kernel();
  (void)std::fflush(stdout);
  check_limits();
  (void)std::puts("end");
  return 0;
}

}  // namespace codejail_probe
