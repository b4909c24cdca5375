// Loaded into a Python by the dynamic loader, before all else (LD_PRELOAD): has it print as
// buffer.h and pace.h say, from its program's first line on. In any other program it does nothing.
#include <link.h>

#include <cstdlib>
#include <cstring>

#include "pace.h"
#include "python.h"
#include "streams.h"

namespace codejail {
namespace {

constexpr char kPreload[] = "LD_PRELOAD";

// The program and what it starts find the variable as they would without this library, which the
// server names first.
void leave_no_trace() {
  const char* const value = std::getenv(kPreload);
  if (value == nullptr) {
    return;
  }
  const char* const others = std::strchr(value, ':');
  if (others == nullptr) {
    (void)unsetenv(kPreload);  // fails for a bad name only
    return;
  }
  // In its place: a value never gets longer.
  char* const target = const_cast<char*>(value);
  std::memmove(target, others + 1, std::strlen(others + 1) + 1);
}

// As Python keeps it (Python/sysmodule.c): there is no function to take one back.
struct HookEntry {
  HookEntry* next;
  AuditHook hook;
  void* user_data;
};

// Where Python keeps its first hook, or null where that was not to be found.
HookEntry** first_hook = nullptr;

struct Span {
  char* begin;
  char* end;
};

int find_data(dl_phdr_info* info, std::size_t /*size*/, void* found) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    char* const begin = reinterpret_cast<char*>(info->dlpi_addr + part.p_vaddr);
    if (part.p_type == PT_LOAD && (part.p_flags & PF_W) != 0 && _PyRuntime >= begin &&
        _PyRuntime < begin + part.p_memsz) {
      static_cast<Span*>(found)->end = begin + part.p_memsz;
      return 1;
    }
  }
  return 0;
}

// A hook costs its arguments at each of Python's events, of which `id` is one: so this one is taken
// back once it has been of use.
int on_event(const char* event, PyObject* /*arguments*/, void* /*user_data*/) {
  constexpr char kRun[] = "cpython.run_";
  static bool is_done = false;
  if (is_done || std::strncmp(event, kRun, sizeof(kRun) - 1) != 0) {
    return 0;
  }
  is_done = true;
  take_streams();
  if (first_hook != nullptr && *first_hook != nullptr && (*first_hook)->hook == on_event &&
      (*first_hook)->next == nullptr) {
    // Not freed: Python is reading it.
    *first_hook = nullptr;
  }
  return 0;
}

constexpr std::size_t kMostRuntime = std::size_t{1} << 20U;

void add_hook() {
  Span data{_PyRuntime, nullptr};
  (void)dl_iterate_phdr(find_data, &data);
  const auto room = data.end == nullptr ? 0 : static_cast<std::size_t>(data.end - data.begin);
  const std::size_t size = (room < kMostRuntime ? room : kMostRuntime) / sizeof(void*);
  auto** const words = reinterpret_cast<HookEntry**>(data.begin);
  auto** const before = static_cast<HookEntry**>(std::malloc(size * sizeof(void*)));
  if (before != nullptr) {
    std::memcpy(before, words, size * sizeof(void*));
  }
  if (PySys_AddAuditHook(on_event, nullptr) == 0 && before != nullptr) {
    for (std::size_t i = 0; i < size; ++i) {
      if (words[i] != before[i] && before[i] == nullptr) {
        // The only one: nothing else of Python has run yet.
        first_hook = first_hook == nullptr ? &words[i] : nullptr;
      }
    }
  }
  std::free(before);
}

[[gnu::constructor]] void begin() {
  // A script that starts Pythons hands it on to them.
  if (PySys_AddAuditHook == nullptr || PyObject_GetAttrString == nullptr) {
    return;
  }
  leave_no_trace();
  add_hook();
}

[[gnu::destructor]] void end() {
  Pace::deliver_last();
}

}  // namespace
}  // namespace codejail
