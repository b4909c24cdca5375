#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "check.h"

namespace codejail_probe {

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
    // No network namespace: the host's abstract and named sockets would be in reach.
    const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    report_refused("network", "open a Unix socket among the host's", made);
    return;
  }
  char own[64] = {};
  const bool known = readlink("/proc/self/ns/net", own, sizeof(own) - 1) > 0;
  // Abstract sockets belong to the network namespace (unix(7)).
  report("network", "share the server's network namespace",
         known && std::strcmp(own, expected("net")) != 0, own);
}

}  // namespace codejail_probe
