#include "addon/shortage.h"

#include <sys/resource.h>

#include <cerrno>

namespace codejail {
namespace {

// lib/gate/capacity.ts counts with as many for a call.
constexpr char kNeed[] =
    "; a call takes up to 16, a process that waits for one 12, beside the server's own";

std::string cure_of(int error) {
  if (error == ENFILE) {
    return "the host has no more open files: raise the sysctl fs.file-max";
  }
  if (error != EMFILE) {
    return "";
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return "";
  }
  return "this process may have " + std::to_string(limit.rlim_cur) +
         " descriptors (ulimit -n) and has them all" + kNeed +
         ": raise the limit (ulimit -n, LimitNOFILE= of a systemd unit), or have fewer run at a "
         "time";
}

}  // namespace

std::string with_cure(int error, const std::string& detail) {
  const std::string cure = cure_of(error);
  return cure.empty() || detail.empty() ? detail + cure : detail + "; " + cure;
}

}  // namespace codejail
