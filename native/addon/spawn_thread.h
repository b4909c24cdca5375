// A thread on which one launcher is started: its exec is waited for, which the event loop must not.
#pragma once

#include <uv.h>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "addon/spawn.h"

namespace codejail {

// What finished threads hand back to the event loop.
struct SpawnMailbox {
  std::mutex mutex;
  bool closed = false;
  uv_async_t* wake = nullptr;
  std::vector<std::pair<std::uint32_t, Spawned>> finished;
};

// Joined, never detached: the addon's code is unloaded with the last worker that uses it.
class SpawnThread {
 public:
  SpawnThread() = default;
  SpawnThread(const SpawnThread&) = delete;
  SpawnThread& operator=(const SpawnThread&) = delete;
  ~SpawnThread() { join(); }

  // Fails where this process may not have another thread; then `ends` are closed and nothing runs.
  Status start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends,
               std::shared_ptr<SpawnMailbox> mailbox, std::uint32_t id);
  void join();

 private:
  uv_thread_t thread_{};
  bool running_ = false;
};

}  // namespace codejail
