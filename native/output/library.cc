// Loaded into a Python by the dynamic loader, before all else (LD_PRELOAD): has it print as
// buffer.h and pace.h say, from its program's first line on. In any other program it does nothing.
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "output/heirs.h"
#include "output/pace.h"
#include "output/python.h"
#include "output/streams.h"

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
  remember_library(value);
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

// What a block of memory of an entry's size is given next: the one that was given back last.
std::uintptr_t next_entry() {
  void* const block = std::malloc(sizeof(HookEntry));
  // Volatile: only a number to the compiler, which knows that nothing is there any more.
  volatile const auto place = reinterpret_cast<std::uintptr_t>(block);
  std::free(block);
  return place;  // NOLINT(clang-analyzer-unix.Malloc): the number, which is compared
}

void add_hook() {
  auto* const entry = reinterpret_cast<const HookEntry*>(next_entry());
  if (PySys_AddAuditHook(on_event, nullptr) != 0 || entry == nullptr || entry->hook != on_event) {
    return;
  }
  // As a rule in the first pages. All of them would be read into memory here.
  Span data{_PyRuntime, _PyRuntime};
  (void)dl_iterate_phdr(find_data, &data);  // what it returns is the function's own
  auto** const end = reinterpret_cast<HookEntry**>(data.end);
  for (auto** place = reinterpret_cast<HookEntry**>(data.begin); place < end; ++place) {
    if (*place == entry) {
      first_hook = place;
      return;
    }
  }
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
