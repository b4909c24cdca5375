#include "addon/request_file.h"

#include <cerrno>
#include <utility>

#include "addon/failure.h"
#include "addon/jail_pipes.h"
#include "addon/javascript.h"
#include "addon/memfd.h"
#include "addon/pieces.h"
#include "addon/promise_worker.h"
#include "core/descriptor.h"

namespace codejail {
namespace {

class RequestWorker : public PromiseWorker {
 public:
  RequestWorker(Napi::Env env, const Napi::Array& pieces, std::function<int(Descriptor)> hand_out)
      : PromiseWorker(env),
        hand_out_(std::move(hand_out)),
        kept_(Napi::Persistent<Napi::Object>(pieces)),
        pieces_(pieces) {}

  void Execute() override {
    status_ = open_request(file_);
    if (status_.ok() && !pieces_.write_to(file_)) {
      status_ = Status::failure(Step::kSpec, errno);
    }
    if (status_.ok()) {
      status_ = finish_request(file_);
    }
  }

  void OnOK() override {
    if (!status_.ok()) {
      OnError(failure_of(Env(), status_));
      return;
    }
    resolve(Napi::Number::New(Env(), hand_out_(std::move(file_))));
  }

 private:
  std::function<int(Descriptor)> hand_out_;
  // The pieces stay where they are while they are written.
  Napi::ObjectReference kept_;
  Pieces pieces_;
  Descriptor file_;
  Status status_ = Status::success();
};

}  // namespace

Napi::Value write_request(const Napi::CallbackInfo& info, std::function<int(Descriptor)> hand_out) {
  return queue<RequestWorker>(info.Env(), info[0].As<Napi::Array>(), std::move(hand_out));
}

Napi::Value make_request_pipe(const Napi::CallbackInfo& info,
                              const std::function<int(Descriptor)>& hand_out) {
  const Napi::Env env = info.Env();
  Descriptor program;
  Descriptor server;
  if (!make_pipe(program, server, 1)) {
    throw_failure(env, Status::failure(Step::kPipes, errno));
    return env.Undefined();
  }
  Napi::Object pipe = Napi::Object::New(env);
  set_number(pipe, "program", hand_out(std::move(program)));
  set_number(pipe, "server", hand_out(std::move(server)));
  return pipe;
}

}  // namespace codejail
