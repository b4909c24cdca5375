// An open directory that closes itself.
#pragma once

#include <dirent.h>

#include <memory>

namespace codejail {

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

}  // namespace codejail
