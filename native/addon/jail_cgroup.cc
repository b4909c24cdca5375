#include "addon/jail_cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace codejail {
namespace {

// A process that hangs in the kernel can't be waited for.
constexpr int kPatienceMs = 5000;
constexpr int kWaitMs = 50;

bool write_text(const Descriptor& file, const std::string& text) {
  return file.valid() &&
         write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string read_text(const Descriptor& file) {
  char text[4096];
  const ssize_t count = file.valid() ? pread(file.get(), text, sizeof(text), 0) : -1;
  return count > 0 ? std::string(text, static_cast<std::size_t>(count)) : std::string();
}

// A value of a flat keyed file (cgroup-v2.rst, "Conventions"); each line is "key value".
std::uint64_t value_of(const std::string& text, const std::string& key) {
  const std::string lines = "\n" + text;
  const std::size_t at = lines.find("\n" + key + " ");
  return at == std::string::npos ? 0
                                 : std::strtoull(lines.c_str() + at + key.size() + 2, nullptr, 10);
}

// What could not be removed in time is tried again with each that is removed later, by whichever
// thread that is: a server that runs for months has no next start to sweep it.
class Remaining {
 public:
  void keep(Descriptor parent, std::string name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    cgroups_.emplace_back(std::move(parent), std::move(name));
  }

  void try_again() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto is_gone = [](const std::pair<Descriptor, std::string>& cgroup) {
      const auto& [parent, name] = cgroup;
      return unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno != EBUSY;
    };
    cgroups_.erase(std::remove_if(cgroups_.begin(), cgroups_.end(), is_gone), cgroups_.end());
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<Descriptor, std::string>> cgroups_;
};

Remaining& remaining() {
  static Remaining all;
  return all;
}

}  // namespace

JailCgroup::~JailCgroup() {
  if (valid()) {
    (void)finish();  // nobody is left to tell
  }
}

Descriptor JailCgroup::open_file(const char* name, int flags) const {
  return Descriptor(openat(directory_.get(), name, flags | O_NOFOLLOW | O_CLOEXEC));
}

Status JailCgroup::make(const CgroupPlan& plan) {
  parent_.reset(open(plan.parent.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!parent_.valid()) {
    return Status::failure(Step::kMakeCgroup, errno, "the server's cgroup");
  }
  if (mkdirat(parent_.get(), plan.name.c_str(), 0755) != 0) {
    return Status::failure(Step::kMakeCgroup, errno, "a cgroup below the server's");
  }
  name_ = plan.name;
  directory_.reset(
      openat(parent_.get(), name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory_.valid()) {
    const int error = errno;
    // Where it stays, the server's next start removes it.
    (void)unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
    return Status::failure(Step::kMakeCgroup, error, "a cgroup below the server's");
  }
  // All or nothing: a jail that has lost one of its processes to the limit is over.
  if (!write_text(open_file("memory.oom.group", O_WRONLY), "1")) {
    return Status::failure(Step::kMakeCgroup, errno, "memory.oom.group");
  }
  if (plan.tasks != kUnlimited &&
      !write_text(open_file("pids.max", O_WRONLY), std::to_string(plan.tasks))) {
    return Status::failure(Step::kMakeCgroup, errno, "pids.max");
  }
  return Status::success();
}

bool JailCgroup::empty() const {
  const std::string events = read_text(open_file("cgroup.events", O_RDONLY));
  return !events.empty() && value_of(events, "populated") == 0;
}

void JailCgroup::kill() const {
  // Without it (Linux before 5.14) the launcher ends them.
  (void)write_text(open_file("cgroup.kill", O_WRONLY), "1");
}

CgroupEnd JailCgroup::read_account() const {
  CgroupEnd end;
  const std::string events = read_text(open_file("memory.events", O_RDONLY));
  end.over_limit = value_of(events, "oom") > 0;
  end.oom_kills = value_of(events, "oom_kill");
  const std::string peak = read_text(open_file("memory.peak", O_RDONLY));
  end.peak_bytes = std::strtoull(peak.c_str(), nullptr, 10);
  const std::string cpu = read_text(open_file("cpu.stat", O_RDONLY));
  end.user_us = value_of(cpu, "user_usec");
  end.system_us = value_of(cpu, "system_usec");
  return end;
}

void JailCgroup::remove() {
  const Descriptor events = open_file("cgroup.events", O_RDONLY);
  for (int waited = 0; unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR) != 0;
       waited += kWaitMs) {
    if (errno != EBUSY) {
      break;
    }
    if (waited >= kPatienceMs) {
      remaining().keep(std::move(parent_), name_);
      break;
    }
    kill();
    // Read before the wait: the file tells of changes since it was last read.
    if (value_of(read_text(events), "populated") != 0) {
      pollfd changed{events.get(), POLLPRI, 0};
      (void)poll(&changed, 1, kWaitMs);  // whatever it says: it is looked again
    }
  }
  directory_.reset();
  parent_.reset();
}

CgroupEnd JailCgroup::finish() {
  const CgroupEnd end = read_account();
  remaining().try_again();
  remove();
  return end;
}

}  // namespace codejail
