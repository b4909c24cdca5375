// The text of /proc/PID/stat, in which a program chooses its own name.
#include "launcher/process_stat.h"

#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Text text(data, size);
  ProcessStat stat{};
  if (!parse_process_stat(text.get(), stat)) {
    return 0;
  }
  // Whatever it is called, the fields are those behind the name.
  const char* const name_end = std::strrchr(text.get(), ')');
  require(name_end != nullptr, "a name has an end");
  ProcessStat nameless{};
  require(parse_process_stat(name_end, nameless), "what follows the name is enough");
  require(stat.parent == nameless.parent && stat.threads == nameless.threads &&
              stat.is_dead == nameless.is_dead && stat.started_ticks == nameless.started_ticks,
          "no name changes a field");
  return 0;
}
