// An open directory that closes itself.
#pragma once

#include <dirent.h>

#include <memory>

#include "core/descriptor.h"

namespace codejail {

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

// Takes a descriptor of a directory over; null, with errno, where it is none or can't be listed.
inline Directory directory_of(Descriptor opened) {
  Directory directory(opened.valid() ? fdopendir(opened.get()) : nullptr);
  if (directory) {
    (void)opened.release();
  }
  return directory;
}

}  // namespace codejail
