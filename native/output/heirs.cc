#include "output/heirs.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstring>

namespace codejail {
namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr std::size_t kNameBytes = sizeof(kPreload) - 1;
// More are handed on as they are. It is on the stack, beside what the caller has there.
constexpr std::size_t kMostVariables = 4096;

// "LD_PRELOAD=" and the library's name; empty: nothing is handed on.
char own_variable[PATH_MAX] = "";

int exec(const char* path, char* const words[], char* const environment[]) {
  return static_cast<int>(syscall(SYS_execve, path, words, environment));
}

bool is_own_program(const char* path) {
  struct stat own {};
  struct stat other {};
  return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

}  // namespace

void remember_library(const char* preloaded) {
  const std::size_t length = std::strcspn(preloaded, ": ");
  if (length > 0 && length < sizeof(own_variable) - kNameBytes) {
    std::memcpy(own_variable, kPreload, kNameBytes);
    std::memcpy(own_variable + kNameBytes, preloaded, length);
    own_variable[kNameBytes + length] = '\0';
  }
}

int exec_with_library(const char* path, char* const words[], char* const environment[]) {
  if (own_variable[0] == '\0' || environment == nullptr || path == nullptr ||
      !is_own_program(path)) {
    return exec(path, words, environment);
  }
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    // One that names libraries of its own is left alone.
    if (count == kMostVariables || std::strncmp(environment[count], kPreload, kNameBytes) == 0) {
      return exec(path, words, environment);
    }
  }
  char** const extended = static_cast<char**>(__builtin_alloca((count + 2) * sizeof(char*)));
  std::memcpy(extended, environment, count * sizeof(char*));
  extended[count] = own_variable;
  extended[count + 1] = nullptr;
  return exec(path, words, extended);
}

}  // namespace codejail
