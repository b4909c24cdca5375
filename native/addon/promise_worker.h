// Settles a promise with work done on a thread of libuv's pool.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

namespace codejail {

class PromiseWorker : public Napi::AsyncWorker {
 public:
  explicit PromiseWorker(Napi::Env env)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 protected:
  void resolve(Napi::Value value) { deferred_.Resolve(value); }

 private:
  Napi::Promise::Deferred deferred_;
};

// Has a new worker do its work.
template <typename Worker, typename... Arguments>
Napi::Promise queue(Arguments&&... arguments) {
  auto worker = std::make_unique<Worker>(std::forward<Arguments>(arguments)...);
  const Napi::Promise promise = worker->promise();
  // It deletes itself when it is done.
  worker.release()->Queue();
  return promise;  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)
}

}  // namespace codejail
