// The Pythons that a Python starts by its own path, as multiprocessing and joblib do: they have
// this library too.
#pragma once

namespace codejail {

// Remembers the name by which this library was loaded: LD_PRELOAD begins with it.
void remember_library(const char* preloaded);

// As execve, where the program is this process's own, with the library in its environment. To be
// called after vfork too: it allocates nothing.
int exec_with_library(const char* path, char* const words[], char* const environment[]);

}  // namespace codejail
