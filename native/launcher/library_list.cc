#include "launcher/library_list.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "core/descriptor.h"
#include "core/read_whole.h"

namespace codejail {
namespace {

constexpr char kCache[] = "/etc/ld.so.cache";
// More than a thousand libraries take a tenth of it.
constexpr off_t kLargest = off_t{4} << 20U;

// glibc's sysdeps/generic/dl-cache.h; an older cache has another one before it.
constexpr char kMagic[] = "glibc-ld.so.cache1.1";
struct Head {
  char magic[sizeof(kMagic) - 1];
  std::uint32_t count;
  std::uint32_t unused[6];
};
struct Entry {
  std::uint32_t flags;
  std::uint32_t name;  // from the head on, as the path
  std::uint32_t path;
  std::uint32_t unused;
  std::uint64_t capabilities;  // of processors that it is for alone
};
static_assert(sizeof(Head) == 48 && sizeof(Entry) == 24);

#if defined(__x86_64__)
constexpr std::uint32_t kOwnKind = 0x0303;
constexpr char kKind[] = "libc6,x86-64";
#elif defined(__aarch64__)
constexpr std::uint32_t kOwnKind = 0x0a03;
constexpr char kKind[] = "libc6,AArch64";
#endif

std::string read_cache() {
  const Descriptor file(open(kCache, O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.valid() || fstat(file.get(), &status) != 0 || status.st_size > kLargest) {
    return {};
  }
  std::string cache(static_cast<std::size_t>(status.st_size), '\0');
  if (read_whole(file.get(), cache.data(), cache.size()) != status.st_size) {
    return {};
  }
  return cache;
}

}  // namespace

std::string library_list() {
  const std::string cache = read_cache();
  const std::size_t start = cache.find(kMagic);
  if (start == std::string::npos || cache.size() - start < sizeof(Head)) {
    return {};
  }
  const char* const base = cache.data() + start;
  const std::size_t size = cache.size() - start;
  Head head{};
  std::memcpy(&head, base, sizeof(head));
  std::string list;
  for (std::size_t i = 0; i < head.count; ++i) {
    const std::size_t at = sizeof(Head) + i * sizeof(Entry);
    Entry entry{};
    if (size < sizeof(Entry) || at > size - sizeof(Entry)) {
      break;
    }
    std::memcpy(&entry, base + at, sizeof(entry));
    // A string's end is that of the whole at the latest: std::string has a NUL there.
    if (entry.flags == kOwnKind && entry.capabilities == 0 && entry.name < size &&
        entry.path < size) {
      list.append("\t").append(base + entry.name).append(" (").append(kKind).append(") => ");
      list.append(base + entry.path).append("\n");
    }
  }
  return list;
}

}  // namespace codejail
