// A line of /proc/PID/maps.
#include "cell/memory_map.h"
#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Text line(data, size);
  Area area;
  area.start = 1;
  if (read_area(line.get(), area)) {
    require(area.start <= area.end, "an area does not end before it begins");
  } else {
    require(area.start == 1 && area.end == 0, "what is no area changes none");
  }
  return 0;
}
