// A promise of what a dead jail left in its writable directory.
#pragma once

#include <cstdint>
#include <string>

#include "addon/promise_worker.h"
#include "core/syscalls.h"

namespace codejail {

// The tree was made by hostile code: no link, no magic link of /proc, no other mount is followed.
constexpr std::uint64_t kResolve =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

// Whether a program may have made of its files what a system call fails with. Everything else is
// the host's affair, and fails the call.
bool is_programs_doing(int error);

// Rejects with `errno`, `syscall` and `detail`, the path, where the host fails.
class CollectWorker : public PromiseWorker {
 public:
  CollectWorker(Napi::Env env, int directory) : PromiseWorker(env), directory_(directory) {}

  void OnOK() final;

 protected:
  virtual Napi::Value found(Napi::Env env) = 0;

  void fail(const char* syscall, int error, const std::string& path);
  [[nodiscard]] bool has_failed() const { return error_ != 0; }
  [[nodiscard]] int directory() const { return directory_; }

 private:
  int directory_;
  int error_ = 0;
  const char* syscall_ = "";
  std::string failed_path_;
};

}  // namespace codejail
