// What JavaScript sees of the native half.
#include <napi.h>
#include <sched.h>

#include "addon/cell_call.h"
#include "addon/cgroup_lock.h"
#include "addon/failure.h"
#include "addon/jail_processes.h"
#include "addon/javascript.h"
#include "addon/lease.h"
#include "addon/list_files.h"
#include "addon/memfd.h"
#include "addon/read_files.h"
#include "addon/remove_tree.h"
#include "addon/request_file.h"
#include "addon/spec_builder.h"
#include "addon/stored_files.h"
#include "addon/users.h"
#include "core/landlock.h"

namespace codejail {
namespace {

Napi::Value get_landlock_abi(const Napi::CallbackInfo& info) {
  int version = 0;
  if (const Status asked = landlock_abi(version); !asked.ok()) {
    failure_of(info.Env(), asked.detail(), asked.error(), "landlock_create_ruleset")
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  return Napi::Number::New(info.Env(), version);
}

Napi::Value get_processor(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), sched_getcpu());
}

Napi::Value get_uid_is_free(const Napi::CallbackInfo& info) {
  const std::uint32_t uid = info[1].As<Napi::Number>().Uint32Value();
  return Napi::Boolean::New(info.Env(), uid_is_free(text_of(info[0]), uid));
}

void tell_of_call(const Napi::CallbackInfo& info) {
  announce_call(info[0].As<Napi::Number>().Int32Value());
}

template <auto kMethod, typename Owner>
Napi::Function method(Napi::Env env, Owner* owner) {
  return Napi::Function::New(
      env, [owner](const Napi::CallbackInfo& info) { return (owner->*kMethod)(info); });
}

// Owned by a JavaScript environment: each worker thread has its own.
struct Environment {
  explicit Environment(Napi::Env env) : processes(env) {}

  // Given up last: below a locked cgroup are those of the jails.
  CgroupLocks cgroup_locks;
  JailProcesses processes;
};

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto environment = std::make_unique<Environment>(env);
  if (const int error = environment->processes.start(); error != 0) {
    failure_of(env, "this Node has no event loop to follow jails with", -error, "uv_async_init")
        .ThrowAsJavaScriptException();
    return exports;
  }
  env.SetInstanceData(environment.get());
  JailProcesses* const jails = &environment->processes;
  CgroupLocks* const locks = &environment.release()->cgroup_locks;
  exports.Set("spawn", method<&JailProcesses::spawn>(env, jails));
  exports.Set("sealSpec", method<&JailProcesses::seal_spec>(env, jails));
  exports.Set("makeCell", method<&JailProcesses::make_cell>(env, jails));
  exports.Set("beginCall", method<&JailProcesses::begin_call>(env, jails));
  exports.Set("prepareStep", method<&JailProcesses::prepare_step>(env, jails));
  exports.Set("beginStep", method<&JailProcesses::begin_step>(env, jails));
  exports.Set("tellStep", method<&JailProcesses::tell_step>(env, jails));
  exports.Set("holdLoop", method<&JailProcesses::hold_loop>(env, jails));
  exports.Set("isGone", method<&JailProcesses::is_gone>(env, jails));
  exports.Set("letGo", method<&JailProcesses::let_go>(env, jails));
  exports.Set("processOf", method<&JailProcesses::process_of>(env, jails));
  exports.Set("stop", method<&JailProcesses::stop>(env, jails));
  exports.Set("kill", method<&JailProcesses::kill>(env, jails));
  exports.Set("readRest", method<&JailProcesses::read_rest>(env, jails));
  exports.Set("closeDescriptor", method<&JailProcesses::close_descriptor>(env, jails));
  exports.Set("disown", method<&JailProcesses::disown>(env, jails));
  exports.Set("lockCgroup", method<&CgroupLocks::lock>(env, locks));
  exports.Set("unlockCgroup", method<&CgroupLocks::unlock>(env, locks));
  exports.Set("writeRequest", Napi::Function::New(env, [jails](const Napi::CallbackInfo& info) {
                return write_request(
                    info, [jails](Descriptor file) { return jails->hand_out(std::move(file)); });
              }));
  exports.Set("makeRequestPipe", Napi::Function::New(env, [jails](const Napi::CallbackInfo& info) {
                return make_request_pipe(
                    info, [jails](Descriptor end) { return jails->hand_out(std::move(end)); });
              }));
  exports.Set("openFiles", Napi::Function::New(env, [jails](const Napi::CallbackInfo& info) {
                return open_files(
                    info, [jails](Descriptor file) { return jails->hand_out(std::move(file)); });
              }));
  exports.Set("appendFiles", Napi::Function::New(env, append_files));
  exports.Set("announceCall", Napi::Function::New(env, tell_of_call));
  exports.Set("listFiles", Napi::Function::New(env, list_files));
  exports.Set("readFiles", Napi::Function::New(env, read_files));
  exports.Set("removeTree", Napi::Function::New(env, remove_tree));
  exports.Set("removeUnlockedTree", Napi::Function::New(env, remove_unlocked_tree));
  exports.Set("lookUpUser", Napi::Function::New(env, look_up_user));
  exports.Set("uidIsFree", Napi::Function::New(env, get_uid_is_free));
  exports.Set("cgroupIsDelegated", Napi::Function::New(env, cgroup_is_delegated));
  exports.Set("processor", Napi::Function::New(env, get_processor));
  exports.Set("landlockAbi", Napi::Function::New(env, get_landlock_abi));
  return exports;
}

}  // namespace
}  // namespace codejail

// NODE_API_MODULE wants a plain function in the global namespace.
static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) {
  return codejail::initialize(env, exports);
}
NODE_API_MODULE(codejail, initialize_addon)
