#include "addon/users.h"

#include <pwd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "addon/failure.h"
#include "addon/javascript.h"

namespace codejail {
namespace {

constexpr std::size_t kFirstSize = 16384;
constexpr std::size_t kLargestSize = 1U << 20U;

// What systems answer where there is no such user, or no list of users at all (getpwnam(3)).
bool is_unknown(int error) {
  return error == 0 || error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
}

}  // namespace

Napi::Value look_up_user(const Napi::CallbackInfo& info) {
  const std::string name = text_of(info[0]);
  std::vector<char> buffer(kFirstSize);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  while ((error = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found)) ==
             ERANGE &&
         buffer.size() < kLargestSize) {
    buffer.resize(2 * buffer.size());
  }
  if (found == nullptr) {
    if (is_unknown(error)) {
      return info.Env().Undefined();
    }
    failure_of(info.Env(), "the user could not be looked up", error, "getpwnam_r", name)
        .ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  Napi::Object user = Napi::Object::New(info.Env());
  user.Set("uid", Napi::Number::New(info.Env(), entry.pw_uid));
  user.Set("gid", Napi::Number::New(info.Env(), entry.pw_gid));
  return user;
}

}  // namespace codejail
