// A report, as the server receives it: any packet, with any number of descriptors.
#include "core/report.h"

#include <cerrno>

#include "addon/report_receiver.h"
#include "core/descriptor_message.h"
#include "open_descriptors.h"
#include "packets.h"

using namespace codejail;
using namespace codejail_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Channel channel;
  Input input(data, size);
  const std::size_t passed_count = input.take<std::uint8_t>() % (kMostPassed + 1);
  if (input.left() > 65536) {
    return 0;
  }
  const int free_before = lowest_free();
  channel.send(input.rest(), input.left(), passed_count);
  {
    Report report{};
    Descriptor passed[kMostReported];
    const ssize_t count = receive_report(channel.receiver(), report, passed);
    // An empty one is as good as the end.
    require(count > 0 || input.left() == 0 || (count < 0 && errno == EMFILE),
            "a packet is received");
    require(count <= static_cast<ssize_t>(sizeof(report)), "no more than a report is received");
    if (count == static_cast<ssize_t>(sizeof(report))) {
      read_all(step_name(report.step), std::strlen(step_name(report.step)));
      read_all(step_syscall(report.step), std::strlen(step_syscall(report.step)));
    }
    require(passed_count > 0 || (!passed[0].valid() && !passed[1].valid()),
            "no descriptor comes that nobody sent");
  }
  require(lowest_free() == free_before, "no descriptor stays open");
  return 0;
}
