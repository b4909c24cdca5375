#include "addon/stored_files.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "addon/failure.h"
#include "addon/memfd.h"
#include "addon/promise_worker.h"
#include "addon/spec_builder.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

struct Piece {
  const char* bytes;
  std::size_t size;
};

struct FileRecord {
  RecordHeader header{};
  std::string path;
  std::size_t first_piece = 0;
  std::size_t end_piece = 0;
};

class AppendWorker : public PromiseWorker {
 public:
  AppendWorker(Napi::Env env, Descriptor file, const Napi::Array& records)
      : PromiseWorker(env), file_(std::move(file)), kept_(Napi::Persistent<Napi::Object>(records)) {
    for (std::uint32_t i = 0; i < records.Length(); ++i) {
      take(records.Get(i).As<Napi::Object>());
    }
  }

  void Execute() override {
    for (const FileRecord& record : records_) {
      if (!write(record)) {
        status_ = Status::failure(Step::kSpec, errno);
        return;
      }
    }
  }

  void OnOK() override {
    if (!status_.ok()) {
      OnError(failure_of(Env(), status_));
      return;
    }
    resolve(Env().Undefined());
  }

 private:
  void take(const Napi::Object& object) {
    FileRecord record;
    const auto number = [&](const char* name) {
      const Napi::Value value = object.Get(name);
      return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
    };
    record.header.kind = static_cast<RecordKind>(number("kind"));
    record.header.mode = number("mode");
    record.header.first = number("first");
    record.path = object.Get("path").As<Napi::String>().Utf8Value();
    record.first_piece = pieces_.size();
    const auto pieces = object.Get("pieces").As<Napi::Array>();
    for (std::uint32_t i = 0; i < pieces.Length(); ++i) {
      const auto piece = pieces.Get(i).As<Napi::Uint8Array>();
      pieces_.push_back({reinterpret_cast<const char*>(piece.Data()), piece.ByteLength()});
    }
    record.end_piece = pieces_.size();
    records_.push_back(std::move(record));
  }

  [[nodiscard]] bool write(const FileRecord& record) const {
    std::size_t length = 0;
    for (std::size_t i = record.first_piece; i < record.end_piece; ++i) {
      length += pieces_[i].size;
    }
    std::vector<char> around;
    append_record_head(around, record.header, record.path, length);
    if (!write_whole(file_.get(), around.data(), around.size())) {
      return false;
    }
    for (std::size_t i = record.first_piece; i < record.end_piece; ++i) {
      if (!write_whole(file_.get(), pieces_[i].bytes, pieces_[i].size)) {
        return false;
      }
    }
    around.clear();
    append_record_end(around, record.path.size(), length);
    return write_whole(file_.get(), around.data(), around.size());
  }

  Descriptor file_;
  // The pieces stay where they are while they are written.
  Napi::ObjectReference kept_;
  std::vector<Piece> pieces_;
  std::vector<FileRecord> records_;
  Status status_ = Status::success();
};

}  // namespace

Napi::Value open_files(const Napi::CallbackInfo& info,
                       const std::function<int(Descriptor)>& hand_out) {
  Descriptor file;
  if (const Status opened = open_spec(file); !opened.ok()) {
    throw_failure(info.Env(), opened);
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), hand_out(std::move(file)));
}

Napi::Value append_files(const Napi::CallbackInfo& info) {
  // One of its own, with the same offset: an environment that ends closes what it has handed out.
  Descriptor file(fcntl(info[0].As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 0));
  if (!file.valid()) {
    throw_failure(info.Env(), Status::failure(Step::kSpec, errno));
    return info.Env().Undefined();
  }
  return queue<AppendWorker>(info.Env(), std::move(file), info[1].As<Napi::Array>());
}

}  // namespace codejail
