#include "addon/spawn_thread.h"

#include <signal.h>

#include "addon/pidfd.h"
#include "core/syscalls.h"

namespace codejail {
namespace {

struct Work {
  std::unique_ptr<SpawnPlan> plan;
  ChildEnds ends;
  std::shared_ptr<SpawnMailbox> mailbox;
  std::uint32_t id;
};

void run(void* argument) {
  const std::unique_ptr<Work> work(static_cast<Work*>(argument));
  Spawned spawned = spawn_launcher(*work->plan, std::move(work->ends));
  const std::lock_guard<std::mutex> lock(work->mailbox->mutex);
  if (work->mailbox->closed) {
    // The environment has gone meanwhile, and with it its end of the report channel, which the
    // launcher takes for the end of the server; reaping is left to do here.
    if (spawned.pidfd.valid()) {
      // ESRCH: it has ended.
      (void)sys_pidfd_send_signal(spawned.pidfd.get(), SIGKILL);
      wait_for_end(spawned.pidfd);
    }
    return;
  }
  work->mailbox->finished.emplace_back(work->id, std::move(spawned));
  // It fails for another kind of handle only.
  (void)uv_async_send(work->mailbox->wake);
}

}  // namespace

Status SpawnThread::start(std::unique_ptr<SpawnPlan> plan, ChildEnds ends,
                          std::shared_ptr<SpawnMailbox> mailbox, std::uint32_t id) {
  join();
  auto work =
      std::make_unique<Work>(Work{std::move(plan), std::move(ends), std::move(mailbox), id});
  // Not std::thread, which throws where RLIMIT_NPROC is reached: without exceptions, an abort.
  if (const int error = uv_thread_create(&thread_, run, work.get()); error != 0) {
    return Status::failure(Step::kSpawnThread, -error);
  }
  (void)work.release();  // the thread's own from now on
  running_ = true;
  return Status::success();
}

void SpawnThread::join() {
  if (running_) {
    uv_thread_join(&thread_);
    running_ = false;
  }
}

}  // namespace codejail
