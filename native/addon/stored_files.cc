#include "addon/stored_files.h"

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "addon/failure.h"
#include "addon/memfd.h"
#include "addon/pieces.h"
#include "addon/promise_worker.h"
#include "addon/spec_builder.h"
#include "core/write_whole.h"

namespace codejail {
namespace {

struct FileRecord {
  RecordHeader header;
  std::string path;
  Pieces content;
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
    const auto number = [&](const char* name) {
      const Napi::Value value = object.Get(name);
      return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
    };
    RecordHeader header{};
    header.kind = static_cast<RecordKind>(number("kind"));
    header.mode = number("mode");
    header.first = number("first");
    records_.push_back({header, object.Get("path").As<Napi::String>().Utf8Value(),
                        Pieces(object.Get("pieces").As<Napi::Array>())});
  }

  [[nodiscard]] bool write(const FileRecord& record) const {
    const std::size_t length = record.content.size();
    std::vector<char> head;
    append_record_head(head, record.header, record.path, length);
    std::vector<char> end;
    append_record_end(end, record.path.size(), length);
    return write_whole(file_.get(), head.data(), head.size()) && record.content.write_to(file_) &&
           write_whole(file_.get(), end.data(), end.size());
  }

  Descriptor file_;
  // The pieces stay where they are while they are written.
  Napi::ObjectReference kept_;
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
