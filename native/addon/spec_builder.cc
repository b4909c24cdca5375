#include "addon/spec_builder.h"

#include <cstdio>
#include <cstring>
#include <memory>

namespace codejail {
namespace {

struct Close {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }  // nothing was written
};

// Of the running kernel; -1 where it does not say, as without /proc/sys.
std::int32_t last_capability() {
  static const std::int32_t kLast = [] {
    const std::unique_ptr<std::FILE, Close> file(std::fopen("/proc/sys/kernel/cap_last_cap", "re"));
    int last = -1;
    // NOLINTNEXTLINE(cert-err34-c): the kernel's own number.
    return file && std::fscanf(file.get(), "%d", &last) == 1 ? last : -1;
  }();
  return kLast;
}

class Reader {
 public:
  explicit Reader(const Napi::Object& object) : object_(object) {}

  template <typename Number>
  void number(const char* name, Number& target) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsNumber()) {
      return fail(name, "a number");
    }
    target = static_cast<Number>(value.As<Napi::Number>().Int64Value());
  }
  // Undefined where there is none; who forgets to say so is refused.
  void limit(const char* name, std::uint64_t& target) {
    target = kUnlimited;
    if (!object_.Has(name) || !object_.Get(name).IsUndefined()) {
      number(name, target);
    }
  }
  void object(const char* name, Napi::Object& target) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsObject()) {
      return fail(name, "an object");
    }
    target = value.As<Napi::Object>();
  }
  void text(const char* name, std::string& target) {
    const Napi::Value value = object_.Get(name);
    if (!value.IsString()) {
      return fail(name, "a string");
    }
    target = value.As<Napi::String>().Utf8Value();
  }
  Napi::Value value(const char* name) { return object_.Get(name); }
  void fail(const char* name, const char* expected) {
    if (ok_) {
      Napi::TypeError::New(object_.Env(), std::string("spec.") + name + " must be " + expected)
          .ThrowAsJavaScriptException();
    }
    ok_ = false;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  Napi::Object object_;
  bool ok_ = true;
};

void append(std::vector<char>& target, const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  target.insert(target.end(), bytes, bytes + size);
}

void append_record(std::vector<char>& records, const RecordHeader& header, const std::string& path,
                   const char* data, std::size_t data_length) {
  append_record_head(records, header, path, data_length);
  append(records, data, data_length);
  append_record_end(records, path.size(), data_length);
}

bool read_record(const Napi::Value& value, std::vector<char>& records) {
  if (!value.IsObject()) {
    return false;
  }
  const auto object = value.As<Napi::Object>();
  const Napi::Value kind = object.Get("kind");
  const Napi::Value path = object.Get("path");
  const Napi::Value data = object.Get("data");
  const Napi::Value mode = object.Get("mode");
  const Napi::Value first = object.Get("first");
  const Napi::Value second = object.Get("second");
  if (!kind.IsNumber()) {
    return false;
  }
  RecordHeader header{};
  header.kind = static_cast<RecordKind>(kind.As<Napi::Number>().Uint32Value());
  header.mode = mode.IsNumber() ? mode.As<Napi::Number>().Uint32Value() : 0;
  header.first =
      first.IsNumber() ? static_cast<std::uint64_t>(first.As<Napi::Number>().Int64Value()) : 0;
  header.second =
      second.IsNumber() ? static_cast<std::uint64_t>(second.As<Napi::Number>().Int64Value()) : 0;
  const std::string path_text = path.IsString() ? path.As<Napi::String>().Utf8Value() : "";
  if (data.IsTypedArray()) {
    const auto bytes = data.As<Napi::Uint8Array>();
    append_record(records, header, path_text, reinterpret_cast<const char*>(bytes.Data()),
                  bytes.ByteLength());
    return true;
  }
  const std::string data_text = data.IsString() ? data.As<Napi::String>().Utf8Value() : "";
  append_record(records, header, path_text, data_text.data(), data_text.size());
  return true;
}

}  // namespace

void append_record_head(std::vector<char>& records, RecordHeader header, const std::string& path,
                        std::size_t data_length) {
  header.path_length = static_cast<std::uint32_t>(path.size());
  header.data_length = data_length;
  append(records, &header, sizeof(header));
  append(records, path.c_str(), path.size() + 1);
}

void append_record_end(std::vector<char>& records, std::size_t path_length,
                       std::size_t data_length) {
  const std::size_t size = sizeof(RecordHeader) + path_length + 1 + data_length;
  records.resize(records.size() + aligned(size + 1) - size);
}

bool read_plan(const Napi::Object& spec, SpawnPlan& plan) {
  Reader reader(spec);
  SpecHeader& header = plan.header;
  reader.text("launcher", plan.launcher);
  reader.number("flags", header.flags);
  reader.number("namespaces", header.namespaces);
  std::uint32_t id_map = 0;
  reader.number("idMap", id_map);
  header.id_map = static_cast<IdMap>(id_map);
  reader.number("uid", header.uid);
  reader.number("gid", header.gid);
  reader.number("outerUid", header.outer_uid);
  reader.number("outerGid", header.outer_gid);
  header.last_capability = last_capability();
  reader.limit("cpuMicroseconds", header.cpu_us);
  reader.limit("memoryBytes", header.memory_bytes);
  Napi::Object rlimits;
  reader.object("rlimits", rlimits);
  if (!reader.ok()) {
    return false;
  }
  Reader values(rlimits);
  for (const Rlimit& limit : kRlimits) {
    values.limit(limit.name, header.rlimits[limit.resource]);
  }
  if (!values.ok()) {
    return false;
  }

  const Napi::Value uids = reader.value("uidPool");
  if (uids.IsObject()) {
    Reader range(uids.As<Napi::Object>());
    range.text("directory", plan.uids.directory);
    range.number("first", plan.uids.first);
    range.number("count", plan.uids.count);
    if (!range.ok()) {
      return false;
    }
    plan.leases_uid = true;
  }
  const Napi::Value cgroup = reader.value("cgroup");
  if (cgroup.IsObject()) {
    Reader group(cgroup.As<Napi::Object>());
    group.text("parent", plan.cgroup.parent);
    group.limit("tasks", plan.cgroup.tasks);
    group.limit("memoryBytes", header.memory_wall_bytes);
    if (!group.ok()) {
      return false;
    }
    plan.has_cgroup = true;
  }
  const Napi::Value request = reader.value("request");
  if (request.IsNumber()) {
    plan.has_request = true;
    plan.request_file.reset(request.As<Napi::Number>().Int32Value());
  } else if (request.IsTypedArray()) {
    const auto bytes = request.As<Napi::Uint8Array>();
    plan.has_request = true;
    plan.request.assign(reinterpret_cast<const char*>(bytes.Data()),
                        reinterpret_cast<const char*>(bytes.Data()) + bytes.ByteLength());
  }
  const Napi::Value files = reader.value("storedFiles");
  if (files.IsNumber()) {
    plan.stored_files.reset(files.As<Napi::Number>().Int32Value());
  }
  const Napi::Value records = reader.value("records");
  if (!records.IsArray()) {
    reader.fail("records", "an array");
    return false;
  }
  const auto list = records.As<Napi::Array>();
  for (std::uint32_t i = 0; i < list.Length(); ++i) {
    const std::size_t before = plan.records.size();
    if (!read_record(list.Get(i), plan.records)) {
      reader.fail("records", "an array of records");
      return false;
    }
    const auto* written = reinterpret_cast<const RecordHeader*>(plan.records.data() + before);
    header.argument_count += written->kind == RecordKind::kArgument ? 1 : 0;
    header.environment_count += written->kind == RecordKind::kEnvironment ? 1 : 0;
  }
  return reader.ok();
}

}  // namespace codejail
