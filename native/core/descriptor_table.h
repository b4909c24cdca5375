// The descriptors that a jail is given, in one table. A launcher finds their numbers in its spec, a
// cell's come in this order in one packet.
#pragma once

#include <cstddef>
#include <cstdint>

namespace codejail {

enum JailDescriptor : std::size_t {
  // Of every jail. The program knows the first five by these very numbers.
  kStdinFd,
  kStdoutFd,
  kStderrFd,
  kRequestFd,
  kResultFd,
  kReportFd,
  kCommonFds,  // how many these are, and below in the same way

  // Of a launcher, which keeps these open and closes all others.
  kLeaseFd = kCommonFds,  // held until the jail is dead
  kNurseryFd,             // of a template: where the server asks for cells
  kCpuStatFd,             // files of the jail's own cgroup
  kMemoryCurrentFd,
  kMemoryMaxFd,
  kLauncherFds,

  // Of a cell, from the server to the nursery.
  kSpecFd = kCommonFds,
  kTimerFd,     // when it goes off, the supervisor looks for orders
  kEndFd,       // an eventfd; the supervisor writes to it when it has reported
  kLifelineFd,  // of a pipe whose other end the server alone has
  kServerFds,
  // From the cell's supervisor on to the template: those before, and these.
  kUserNamespaceFd = kServerFds,
  kPidNamespaceFd,
  kMountNamespaceFd,
  kLinkFd,              // a socket to the supervisor, for the filter's listener
  kNetworkNamespaceFd,  // only where the cell has one of its own
  kCellFds,
};

// In a template: where its cells' descriptors are handed over.
constexpr int kHandoverNumber = kResultFd + 1;
// A program's own numbers.
constexpr int kProgramNumbers = kHandoverNumber + 1;

// Their numbers in a spec, -1 where there is none.
class LauncherDescriptors {
 public:
  LauncherDescriptors() {
    for (std::int32_t& number : numbers_) {
      number = -1;
    }
  }
  std::int32_t& operator[](JailDescriptor which) { return numbers_[which]; }
  const std::int32_t& operator[](JailDescriptor which) const { return numbers_[which]; }
  [[nodiscard]] const std::int32_t* begin() const { return numbers_; }
  [[nodiscard]] const std::int32_t* end() const { return numbers_ + kLauncherFds; }

 private:
  std::int32_t numbers_[kLauncherFds];
};

}  // namespace codejail
