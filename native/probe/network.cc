#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "probe/check.h"

namespace codejail_probe {
namespace {

// By the filter, and not since nobody listens there.
void must_be_denied(const char* check, long result) {
  report("network", check, result < 0 && errno == EACCES,
         result < 0 ? std::strerror(errno) : "it succeeded");
}

// The host's abstract and named sockets are in reach of every call that names an address.
void check_addresses(const char* name, bool is_abstract, const char* const (&checks)[5]) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path + (is_abstract ? 1 : 0), name, sizeof(address.sun_path) - 2);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  char byte = 'x';
  iovec bytes{&byte, 1};
  mmsghdr message{};
  message.msg_hdr.msg_name = &address;
  message.msg_hdr.msg_namelen = sizeof(address);
  message.msg_hdr.msg_iov = &bytes;
  message.msg_hdr.msg_iovlen = 1;
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    // Where there is no such pair, the filter is asked all the same.
    int ends[2] = {-1, -1};
    const bool is_made = socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0;
    must_be_denied(checks[0],
                   sendto(ends[0], &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT, where, sizeof(address)));
    must_be_denied(checks[1], sendmsg(ends[0], &message.msg_hdr, MSG_NOSIGNAL | MSG_DONTWAIT));
    must_be_denied(checks[2], sendmmsg(ends[0], &message, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
    must_be_denied(checks[3], bind(ends[0], where, sizeof(address)));
    must_be_denied(checks[4], connect(ends[0], where, sizeof(address)));
    if (is_made) {
      close(ends[0]);
      close(ends[1]);
    }
  }
}

void check_shared_names() {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
    const int made = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    must_be_denied("open a Unix socket among the host's", made);
    if (made >= 0) {
      close(made);
    }
  }
  check_addresses(
      "codejail-probe", true,
      {"send to an abstract name of the host's", "send a message to an abstract name of the host's",
       "send messages to an abstract name of the host's", "take an abstract name of the host's",
       "connect to an abstract name of the host's"});
  check_addresses("tmp/codejail-probe", false,
                  {"send to a socket's path", "send a message to a socket's path",
                   "send messages to a socket's path", "bind a socket to a path",
                   "connect to a socket's path"});
}

}  // namespace

void check_network() {
  struct Family {
    int number;
    const char* check;
  };
  const Family families[] = {
      {AF_INET, "open an IPv4 socket"},      {AF_INET6, "open an IPv6 socket"},
      {AF_NETLINK, "open a netlink socket"}, {AF_PACKET, "open a packet socket"},
      {AF_VSOCK, "open a vsock socket"},     {AF_ALG, "open a kernel crypto socket"},
  };
  for (const Family& family : families) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW}) {
      const int made = socket(family.number, type | SOCK_CLOEXEC, 0);
      if (type == SOCK_STREAM || made >= 0) {
        report("network", family.check, made < 0, made < 0 ? std::strerror(errno) : "it succeeded");
      }
      if (made >= 0) {
        close(made);
      }
    }
  }
  if (*expected("net") == '\0') {
    check_shared_names();
    return;
  }
  char own[64] = {};
  const bool known = readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0;
  // Abstract sockets belong to the network namespace (unix(7)).
  report("network", "share the server's network namespace",
         known && std::strcmp(own, expected("net")) != 0, own);
}

}  // namespace codejail_probe
