#include "launcher/epolls.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "launcher/held_files.h"
#include "launcher/lines.h"

namespace codejail {
namespace {

// With the place it is the mark of one: a watch of PID 1's own, of a file that nothing happens to.
// What the program makes of the number is only told to itself.
constexpr std::uint64_t kMark = 0x636f64656a61696cULL << 8U;
constexpr std::size_t kMostPlaces = 256;

struct Watches {
  std::uint64_t count = 0;
  std::uint64_t mark = 0;
};

// proc(5), fdinfo: a line "tfd: 5 events: 19 data: ffffffffffffffff ..." for each watch.
bool read_watches(int directory, const char* path, Watches& watches) {
  Lines lines(directory, path);
  while (const char* const line = lines.next()) {
    if (std::strncmp(line, "tfd:", 4) == 0) {
      const char* const data = std::strstr(line, "data:");
      const std::uint64_t value = data == nullptr ? 0 : std::strtoull(data + 5, nullptr, 16);
      if (value - kMark < kMostPlaces) {
        watches.mark = value;
      }
      ++watches.count;
    }
  }
  return !lines.failed();
}

bool read_own_watches(const Descriptor& proc, const Descriptor& epoll, Watches& watches) {
  char path[48];
  (void)std::snprintf(path, sizeof(path), "self/fdinfo/%d", epoll.get());
  return read_watches(proc.get(), path, watches);
}

}  // namespace

bool Epolls::make() {
  if (!mark_.valid()) {
    mark_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }
  Descriptor made(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.data.u64 = kMark + epolls_.size();
  if (!mark_.valid() || !made.valid() ||
      epoll_ctl(made.get(), EPOLL_CTL_ADD, mark_.get(), &event) != 0) {
    return false;
  }
  epolls_.push_back({std::move(made), false});
  return true;
}

bool Epolls::make_all() {
  epolls_.reserve(most_);
  while (epolls_.size() < most_) {
    if (!make()) {
      return false;
    }
  }
  return true;
}

int Epolls::lend(const Descriptor& proc) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (Epoll& epoll : epolls_) {
      if (!epoll.is_lent) {
        epoll.is_lent = true;
        return epoll.descriptor.get();
      }
    }
    if (epolls_.size() >= most_ || !make()) {
      find_given_back(proc);
    }
  }
  return -1;
}

void Epolls::find_given_back(const Descriptor& proc) {
  std::vector<bool> is_held(epolls_.size(), false);
  const auto look = [&](const HeldFile& file) {
    char path[48];
    Watches watches;
    if (std::strcmp(file.link, "anon_inode:[eventpoll]") != 0) {
      return;
    }
    (void)std::snprintf(path, sizeof(path), "../fdinfo/%.12s", file.number);
    if (!read_watches(file.directory, path, watches)) {
      return;
    }
    if (watches.mark != 0 && watches.mark - kMark < is_held.size()) {
      is_held[watches.mark - kMark] = true;
    }
  };
  if (!for_each_held_file(proc.get(), look)) {
    return;
  }
  for (std::size_t place = 0; place < epolls_.size(); ++place) {
    Watches watches;
    if (!is_held[place] && read_own_watches(proc, epolls_[place].descriptor, watches) &&
        watches.count == 1) {
      epolls_[place].is_lent = false;
    }
  }
}

bool Epolls::take_watch(const Descriptor& proc) {
  if (watches_ < most_watches_) {
    ++watches_;
    return true;
  }
  std::uint64_t count = 0;
  for (const Epoll& epoll : epolls_) {
    Watches watches;
    if (!read_own_watches(proc, epoll.descriptor, watches)) {
      return false;
    }
    count += watches.count - 1;
  }
  watches_ = count;
  if (watches_ >= most_watches_) {
    return false;
  }
  ++watches_;
  return true;
}

}  // namespace codejail
