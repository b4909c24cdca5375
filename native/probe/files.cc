#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/check.h"

namespace codejail_probe {
namespace {

void must_not_open(const char* check, const char* path, int flags) {
  const int file = open(path, flags | O_CLOEXEC, 0600);
  report_refused("files", check, file);
  if (file >= 0) {
    close(file);
  }
}

// Of the host's: others would wait for it. What a profile does not let it open, it does not lock.
void check_locks() {
  const int program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  report_refused("files", "lock a file that it is shown",
                 program < 0 ? -1 : flock(program, LOCK_EX | LOCK_NB));
  close(program);
  const int again = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct flock record {};
  record.l_type = F_RDLCK;
  record.l_whence = SEEK_SET;
  report_refused("files", "lock a part of a file that it is shown",
                 again < 0 ? -1 : fcntl(again, F_SETLK, &record));
  close(again);
}

}  // namespace

void check_files() {
  must_not_open("read /etc/passwd", "/etc/passwd", O_RDONLY);
  must_not_open("read the server's environment", expected("sentinel"), O_RDONLY);
  must_not_open("list /", "/", O_RDONLY | O_DIRECTORY);
  must_not_open("list /tmp", "/tmp", O_RDONLY | O_DIRECTORY);
  must_not_open("list the directory above its own", "..", O_RDONLY | O_DIRECTORY);
  must_not_open("write in its own directory", "probe", O_WRONLY | O_CREAT);
  must_not_open("write in /", "/probe", O_WRONLY | O_CREAT);
  must_not_open("write in /tmp", "/tmp/probe", O_WRONLY | O_CREAT);
  // Not by open: of a program that runs it says ETXTBSY before it looks at the mount or asks
  // Landlock (do_dentry_open in fs/open.c), and truncate says so only after both.
  struct stat program {};
  report_refused(
      "files", "change its own program",
      stat("/proc/self/exe", &program) != 0 ? -1 : truncate("/proc/self/exe", program.st_size));
  must_not_open("read the launcher's memory", "/proc/1/mem", O_RDWR);
  must_not_open("reach the root of PID 1", "/proc/1/root/etc", O_RDONLY);
  must_not_open("read the kernel's settings", "/proc/sys/kernel/hostname", O_RDONLY);
  must_not_open("open a disk of the host", "/dev/sda", O_RDONLY);
  report_refused("files", "make its own directory writable",
                 chmod(".", 0777) != 0 ? -1 : open("probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  report_refused("files", "follow a link out of its tmp",
                 symlink("/etc/passwd", "tmp/link") != 0 ? -1 : open("tmp/link", O_RDONLY));
  unlink("tmp/link");
  check_locks();
}

}  // namespace codejail_probe
