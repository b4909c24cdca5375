#include "users.h"

#include <pwd.h>

#include <string>
#include <vector>

#include "javascript.h"

namespace codejail {

Napi::Value look_up_user(const Napi::CallbackInfo& info) {
  const std::string name = text_of(info[0]);
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return info.Env().Null();
  }
  Napi::Object user = Napi::Object::New(info.Env());
  user.Set("uid", Napi::Number::New(info.Env(), entry.pw_uid));
  user.Set("gid", Napi::Number::New(info.Env(), entry.pw_gid));
  return user;
}

}  // namespace codejail
