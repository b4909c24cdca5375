#include "launcher/pipes.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <set>
#include <utility>

#include "launcher/held_files.h"
#include "launcher/polled_files.h"

namespace codejail {
namespace {

constexpr std::uint64_t kOrdinary = 256;
constexpr std::uint64_t kBytesOfEach = 65536;
// As many as a process has descriptors without a higher limit; where it has one, its user's pages
// of pipes are bounded by the kernel (pipe(7), fs.pipe-user-pages-soft).
constexpr std::uint64_t kOfUnseen = 256;

bool may_be_pipe(const char* link) {
  constexpr char kPipe[] = "pipe:[";
  return link[0] == '/' || std::strncmp(link, kPipe, sizeof(kPipe) - 1) == 0;
}

}  // namespace

std::uint64_t pipe_bytes(int proc, std::uint64_t most_files) {
  std::set<std::pair<dev_t, ino_t>> pipes;
  const auto look = [&pipes](const HeldFile& file) {
    struct stat status {};
    if (may_be_pipe(file.link) && fstatat(file.directory, file.number, &status, 0) == 0 &&
        S_ISFIFO(status.st_mode)) {
      pipes.insert({status.st_dev, status.st_ino});
    }
  };
  const bool is_all = for_each_held_file(proc, look);
  // After the others: what is no longer in a table by now was counted there, or is polled for.
  const std::uint64_t count =
      pipes.size() + count_polled_files(proc, most_files) + (is_all ? 0 : kOfUnseen);
  return count > kOrdinary ? (count - kOrdinary) * kBytesOfEach : 0;
}

}  // namespace codejail
