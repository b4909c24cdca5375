// An AppArmor label, as the kernel prints it, and the profile that it must enforce.
#include <string>
#include <vector>

#include "core/apparmor.h"
#include "input.h"

using namespace codejail;
using namespace codejail_fuzz;

namespace {

// One of the profiles of a stack that is in enforce mode as a whole.
bool reference(const std::string& label, const std::string& profile) {
  const std::string mode = " (enforce)";
  const std::size_t at = label.find(mode);
  if (at == std::string::npos || at + mode.size() != label.size()) {
    return false;
  }
  std::string names = label.substr(0, at);
  if (names.empty()) {
    return false;
  }
  for (;;) {
    const std::size_t end = names.find("//&");
    if (names.substr(0, end) == profile) {
      return true;
    }
    if (end == std::string::npos) {
      return false;
    }
    names.erase(0, end + 3);
    if (names.empty()) {
      return false;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* cut =
      static_cast<const std::uint8_t*>(size > 0 ? std::memchr(data, '\n', size) : nullptr);
  const std::size_t first = cut == nullptr ? size : static_cast<std::size_t>(cut - data);
  const Text label(data, first);
  const Text profile(cut == nullptr ? data : cut + 1, cut == nullptr ? 0 : size - first - 1);
  require(label_enforces(label.get(), profile.get()) == reference(label.get(), profile.get()),
          "a label enforces a profile that is in it, and no other");
  return 0;
}
