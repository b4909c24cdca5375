// The text of /proc/PID/status, in which a program chooses its own name.
#include "core/process_memory.h"
#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Text text(data, size);
  bool found = true;
  const std::uint64_t bytes = resident_of(text.get(), found);
  bool found_again = true;
  require(bytes == resident_of(text.get(), found_again) && found == found_again,
          "the same text says the same");
  bool has_size = true;
  (void)bytes_of(text.get(), "\nVmSize:", has_size);
  return 0;
}
