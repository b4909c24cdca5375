#include "launcher/notification.h"

#include <sys/ioctl.h>

#include <cerrno>

// Linux 5.14.
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

namespace codejail {
namespace {

bool send(const Descriptor& listener, seccomp_notif_resp& response) {
  int result = 0;
  do {
    result = ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  } while (result != 0 && errno == EINTR);
  return result == 0 || errno == ENOENT;
}

}  // namespace

bool Notification::receive(const Descriptor& listener) {
  request_ = {};
  return ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &request_) == 0;
}

bool Notification::is_valid(const Descriptor& listener) const {
  return ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &request_.id) == 0 || errno != ENOENT;
}

bool Notification::go_on(const Descriptor& listener) const {
  seccomp_notif_resp response{};
  response.id = request_.id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  return send(listener, response);
}

bool Notification::refuse(const Descriptor& listener, int error) const {
  seccomp_notif_resp response{};
  response.id = request_.id;
  response.error = -error;
  return send(listener, response);
}

bool Notification::complete(const Descriptor& listener, int result) const {
  seccomp_notif_resp response{};
  response.id = request_.id;
  response.val = result;
  return send(listener, response);
}

bool Notification::install(const Descriptor& listener, int descriptor, int number) const {
  seccomp_notif_addfd added{};
  added.id = request_.id;
  added.flags = SECCOMP_ADDFD_FLAG_SETFD;
  added.srcfd = static_cast<std::uint32_t>(descriptor);
  added.newfd = static_cast<std::uint32_t>(number);
  return ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &added) >= 0;
}

bool Notification::give(const Descriptor& listener, int descriptor, std::uint32_t flags) const {
  seccomp_notif_addfd added{};
  added.id = request_.id;
  added.flags = SECCOMP_ADDFD_FLAG_SEND;
  added.srcfd = static_cast<std::uint32_t>(descriptor);
  added.newfd_flags = flags;
  if (ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &added) >= 0) {
    return true;
  }
  if (errno == EINVAL) {
    added.flags = 0;
    const int number = ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &added);
    if (number >= 0) {
      seccomp_notif_resp response{};
      response.id = request_.id;
      response.val = number;
      return send(listener, response);
    }
  }
  return errno == ENOENT || refuse(listener, EMFILE);
}

}  // namespace codejail
