#include "addon/collect_worker.h"

#include <cerrno>

#include "addon/failure.h"

namespace codejail {

bool is_programs_doing(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENOENT:
    case ENOTDIR:
    case ENXIO:
    case ENODEV:
    case EXDEV:
      return true;
    default:
      return false;
  }
}

void CollectWorker::OnOK() {
  const Napi::Env env = Env();
  if (error_ == 0) {
    resolve(found(env));
    return;
  }
  OnError(failure_of(env, "the files could not be collected", error_, syscall_, failed_path_));
}

void CollectWorker::fail(const char* syscall, int error, const std::string& path) {
  error_ = error;
  syscall_ = syscall;
  failed_path_ = path;
}

}  // namespace codejail
