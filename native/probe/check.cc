#include "probe/check.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace codejail_probe {
namespace {

int argument_count = 0;
char** arguments = nullptr;

}  // namespace

void report(const char* guarantee, const char* check, bool held, const char* seen, const char* id) {
  (void)std::printf("%s\t%s\t%s\t%s\t%s\n", guarantee, check, held ? "held" : "BROKEN", seen, id);
}

void report_refused(const char* guarantee, const char* check, long result) {
  const bool refused = result < 0 && (errno == EPERM || errno == EACCES || errno == ENOSYS ||
                                      errno == ENOENT || errno == EROFS || errno == EAFNOSUPPORT);
  report(guarantee, check, refused, result < 0 ? std::strerror(errno) : "it succeeded");
}

void read_expectations(int argc, char** argv) {
  argument_count = argc;
  arguments = argv;
}

const char* expected(const char* name) {
  const std::size_t length = std::strlen(name);
  for (int i = 1; i < argument_count; ++i) {
    if (std::strncmp(arguments[i], name, length) == 0 && arguments[i][length] == '=') {
      return arguments[i] + length + 1;
    }
  }
  return "";
}

long expected_number(const char* name, long otherwise) {
  const char* text = expected(name);
  return *text == '\0' ? otherwise : std::strtol(text, nullptr, 10);
}

}  // namespace codejail_probe
