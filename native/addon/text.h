// Names that programs gave their files, as JavaScript will have them.
#pragma once

#include <string>

namespace codejail {

// Whether it is UTF-8: a name that is not would come back as another one.
bool is_utf8(const char* text);

// As JavaScript orders strings, by UTF-16: there what lies beyond U+FFFF comes before U+E000 and
// up. Both have to be UTF-8.
bool is_before(const std::string& one, const std::string& other);

}  // namespace codejail
