#include "core/apparmor.h"

#include <cerrno>
#include <cstring>

#include "probe/check.h"

namespace codejail_probe {

// The launcher has read its own label; this is a program's, after its exec.
void check_apparmor() {
  const char* profile = expected("profile");
  if (*profile == '\0') {
    return;
  }
  char label[256] = {};
  codejail::Descriptor attribute;
  const bool known = codejail::open_apparmor(attribute, O_RDONLY).ok() &&
                     codejail::read_apparmor_label(attribute, label, sizeof(label));
  report("files", "run without its AppArmor profile",
         known && codejail::label_enforces(label, profile), known ? label : std::strerror(errno));
}

}  // namespace codejail_probe
