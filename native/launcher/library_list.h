// The list of the system's libraries, as `ldconfig -p` prints it.
#pragma once

#include <string>

namespace codejail {

// By the loader's cache, /etc/ld.so.cache. Empty where there is none, or none of a form that is
// known.
std::string library_list();

}  // namespace codejail
