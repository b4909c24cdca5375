#include "addon/cgroup_end.h"

#include <utility>

#include "addon/javascript.h"
#include "addon/promise_worker.h"

namespace codejail {
namespace {

class EndWorker : public PromiseWorker {
 public:
  EndWorker(Napi::Env env, JailCgroup cgroup) : PromiseWorker(env), cgroup_(std::move(cgroup)) {}

  void Execute() override { end_ = cgroup_.finish(); }

  void OnOK() override {
    Napi::Object end = Napi::Object::New(Env());
    end.Set("overLimit", Napi::Boolean::New(Env(), end_.over_limit));
    set_number(end, "oomKills", static_cast<double>(end_.oom_kills));
    set_number(end, "peakBytes", static_cast<double>(end_.peak_bytes));
    set_number(end, "userMs", static_cast<double>(end_.user_us) / 1e3);
    set_number(end, "systemMs", static_cast<double>(end_.system_us) / 1e3);
    resolve(end);
  }

 private:
  JailCgroup cgroup_;
  CgroupEnd end_;
};

}  // namespace

Napi::Promise end_cgroup(Napi::Env env, JailCgroup cgroup) {
  return queue<EndWorker>(env, std::move(cgroup));
}

}  // namespace codejail
