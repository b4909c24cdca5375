#include "launcher/held_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/directory.h"
#include "launcher/tasks.h"

namespace codejail {

// A thread may have a table of its own (clone(2), CLONE_FILES): of each the files are looked at.
bool visit_held_files(int proc, void (*visit)(void*, const HeldFile&), void* context) {
  return for_each_task(proc, [visit, context](const Task& task) {
    char path[32];
    (void)std::snprintf(path, sizeof(path), "%.20s/fd", task.name);
    const Directory files =
        directory_of(Descriptor(openat(task.directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    if (!files) {
      return is_of_ended_task(errno);
    }
    const int directory = dirfd(files.get());
    while (const dirent* item = readdir(files.get())) {
      char link[64];
      const ssize_t length = readlinkat(directory, item->d_name, link, sizeof(link) - 1);
      if (length > 0) {
        link[length] = '\0';
        visit(context, HeldFile{directory, item->d_name, link});
      }
    }
    return true;
  });
}

}  // namespace codejail
