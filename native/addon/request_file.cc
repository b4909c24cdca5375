#include "addon/request_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "addon/failure.h"
#include "addon/javascript.h"
#include "addon/memfd.h"
#include "addon/promise_worker.h"
#include "core/descriptor.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

struct Piece {
  const char* bytes;
  std::size_t size;
};

class RequestWorker : public PromiseWorker {
 public:
  RequestWorker(Napi::Env env, const Napi::Array& pieces, std::function<int(Descriptor)> hand_out)
      : PromiseWorker(env),
        hand_out_(std::move(hand_out)),
        kept_(Napi::Persistent<Napi::Object>(pieces)) {
    for (std::uint32_t i = 0; i < pieces.Length(); ++i) {
      const auto piece = pieces.Get(i).As<Napi::Uint8Array>();
      pieces_.push_back({reinterpret_cast<const char*>(piece.Data()), piece.ByteLength()});
    }
  }

  void Execute() override {
    status_ = open_request(file_);
    for (const Piece& piece : pieces_) {
      if (status_.ok() && !write_whole(file_.get(), piece.bytes, piece.size)) {
        status_ = Status::failure(Step::kSpec, errno);
      }
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
  std::vector<Piece> pieces_;
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
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw_failure(env, Status::failure(Step::kPipes, errno));
    return env.Undefined();
  }
  Descriptor program(ends[0]);
  Descriptor server(ends[1]);
  // Nothing else that it would change is set yet (fcntl(2)).
  if (fcntl(server.get(), F_SETFL, O_NONBLOCK) != 0) {
    throw_failure(env, Status::failure(Step::kPipes, errno, "O_NONBLOCK"));
    return env.Undefined();
  }
  Napi::Object pipe = Napi::Object::New(env);
  set_number(pipe, "program", hand_out(std::move(program)));
  set_number(pipe, "server", hand_out(std::move(server)));
  return pipe;
}

}  // namespace codejail
