// Prints the seccomp filter and the table that it is made from, as JSON, for the tests to compare.
// Arguments: allow, ask or deny (of exec), count or refuse (of what is counted); the flags of the
// spec; the launcher's number; its keys for locks and for memory.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/seccomp.h"
#include "core/seccomp_arguments.h"
#include "core/seccomp_table.h"

namespace codejail {
namespace {

void print_program(Filter& filter) {
  const sock_fprog program = filter.program();
  std::printf("\"program\":[");
  for (unsigned i = 0; i < program.len; ++i) {
    const sock_filter& line = program.filter[i];
    std::printf("%s[%u,%u,%u,%u]", i == 0 ? "" : ",", unsigned{line.code}, unsigned{line.jt},
                unsigned{line.jf}, line.k);
  }
  std::printf("]");
}

void print_arguments() {
  std::printf(",\"arguments\":[");
  bool first = true;
  for (const Argument& argument : kArguments) {
    std::printf(
        "%s{\"call\":%d,\"index\":%u,\"readsAll\":%s,\"error\":%d,\"isBits\":%s,\"beside\":%u,"
        "\"values\":[",
        first ? "" : ",", argument.call, unsigned{argument.index},
        argument.reads == Reads::kAll ? "true" : "false", argument.error,
        argument.is_bits ? "true" : "false", argument.beside);
    for (std::size_t i = 0; i < argument.count; ++i) {
      std::printf("%s%u", i == 0 ? "" : ",", argument.values[i]);
    }
    std::printf("]}");
    first = false;
  }
  std::printf("]");
}

template <std::size_t kCount>
void print_calls(const char* name, const int (&calls)[kCount]) {
  std::printf(",\"%s\":[", name);
  for (std::size_t i = 0; i < kCount; ++i) {
    std::printf("%s%d", i == 0 ? "" : ",", calls[i]);
  }
  std::printf("]");
}

int print_all(const FilterPolicy& policy, std::uint32_t flags) {
  SpecHeader header{};
  header.size = sizeof(header);
  header.flags = flags;
  const int file = memfd_create("spec", MFD_CLOEXEC);
  Spec spec;
  if (file < 0 || write(file, &header, sizeof(header)) != sizeof(header) || !spec.map(file).ok()) {
    std::perror("spec");
    return 1;
  }
  Filter filter;
  if (!make_seccomp_filter(policy, spec, filter)) {
    std::fputs("the filter is too long\n", stderr);
    return 1;
  }
  std::printf("{");
  print_program(filter);
  print_arguments();
  print_calls("allowed", kAllowed);
  print_calls("answered", kAnswered);
  print_calls("refused", kRefused);
  print_calls("denied", kDenied);
  std::printf("}\n");
  return 0;
}

}  // namespace
}  // namespace codejail

int main(int argc, char** argv) {
  using codejail::CountPolicy;
  using codejail::ExecPolicy;
  if (argc != 9) {
    return 64;
  }
  const ExecPolicy exec = std::strcmp(argv[1], "allow") == 0 ? ExecPolicy::kAllow
                          : std::strcmp(argv[1], "ask") == 0 ? ExecPolicy::kAsk
                                                             : ExecPolicy::kDeny;
  // Else what is counted is allowed: the table is about arguments.
  const CountPolicy count = std::strcmp(argv[1], "count") == 0    ? CountPolicy::kAsk
                            : std::strcmp(argv[1], "refuse") == 0 ? CountPolicy::kRefuse
                                                                  : CountPolicy::kAllow;
  const codejail::LauncherKey key{
      std::strtoull(argv[4], nullptr, 10),
      static_cast<std::uint32_t>(std::strtoul(argv[5], nullptr, 10)),
  };
  codejail::FilterPolicy policy{exec, count, static_cast<pid_t>(std::strtol(argv[3], nullptr, 10)),
                                key};
  policy.refused_above = std::strtoull(argv[6], nullptr, 10);
  policy.own_code = std::strtoull(argv[7], nullptr, 10);
  policy.own_code_end = std::strtoull(argv[8], nullptr, 10);
  return codejail::print_all(policy,
                             static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)));
}
