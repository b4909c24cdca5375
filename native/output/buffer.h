// What a program has printed and the kernel has not yet: held for a moment at most.
//
// It may be looked at from a signal's handler and by several threads. Its lock is only ever tried
// where the interpreter's lock is held, and a handler never waits for it: it leaves word instead.
#pragma once

#include <atomic>
#include <cstddef>

namespace codejail {

// As much as Python's own holds: what dies with its process is never more than under a plain one.
constexpr std::size_t kHeldBytes = 8192;

class OutputBuffer {
 public:
  // `bytes`: kHeldBytes of them.
  constexpr OutputBuffer(int descriptor, char* bytes) : descriptor_(descriptor), bytes_(bytes) {}

  // ---- with the interpreter's lock, which is given up meanwhile where that takes long. False
  // where a Python error is set.

  // Takes bytes, and writes what was held before where there is no room.
  bool put(const char* bytes, std::size_t size);
  // Writes all that is held.
  bool flush();
  // The same, but what can't be written is held on to.
  void write_now();

  // ---- from anywhere

  // Writes as much as can be without waiting. Whether none is left; false too where somebody is
  // at it, who will look again.
  bool deliver();
  // As much as can be within that time, before this process ends.
  void deliver_last(int milliseconds);
  [[nodiscard]] bool is_empty() const { return used() == 0; }

  // ---- around a fork: its child has no part in what its parent holds.
  void lock_for_fork();
  void unlock_in_parent();
  void empty_in_child();

 private:
  [[nodiscard]] bool try_lock() { return !locked_.exchange(true, std::memory_order_acquire); }
  void unlock();
  [[nodiscard]] std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  void lock_with_interpreter();
  // Both with the lock: 0, or the error's number.
  int write_held();
  void write_without_waiting();
  void drop_first(std::size_t size);

  const int descriptor_;
  char* const bytes_;
  std::atomic<bool> locked_{false};
  // Whether a handler has come while it was locked.
  std::atomic<bool> is_late_{false};
  std::atomic<std::size_t> used_{0};
};

}  // namespace codejail
