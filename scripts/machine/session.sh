#!/bin/bash
# The rest of the start, in the file system that the tests see; then the command, then power off.
# What is the host's is shared read-only; /codejail-machine is shared for results.
share=/codejail-machine
. $share/settings
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
exec >"/dev/$output" 2>&1 </dev/null
stty -F "/dev/$output" raw

# The project and this Node may lie where the next mounts cover them, or where only root can go.
mkdir -p /srv/codejail
if [ -n "$project" ]; then
  mount --bind "$project" /srv/codejail
  touch /srv/node
  mount --bind "$node" /srv/node
  mkdir -p /srv/apparmor-4
  [ -z "$parser" ] || mount --bind "$parser" /srv/apparmor-4
else
  # Another processor's: shares of their own, what is compiled for it over the rest.
  mkdir -p /mnt
  mount -t tmpfs mnt /mnt
  mkdir /mnt/project /mnt/over /mnt/files /mnt/work
  mount -t virtiofs project /mnt/project -o ro
  mount -t virtiofs over /mnt/over -o ro
  # Only root could look into one without an upper directory.
  mount -t overlay project /srv/codejail \
    -o lowerdir=/mnt/over:/mnt/project,upperdir=/mnt/files,workdir=/mnt/work
fi

mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 run /run
mkdir -p /dev/shm /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t devpts pts /dev/pts
mount -t securityfs security /sys/kernel/security
mount -t cgroup2 cgroup /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
ln -sfn fd/0 /dev/stdin
ln -sfn fd/1 /dev/stdout
ln -sfn fd/2 /dev/stderr
echo machine >/proc/sys/kernel/hostname
ip link set lo up
# All denials are wanted, not the first ten of a second.
echo 0 >/proc/sys/kernel/printk_ratelimit
[ -w /proc/sys/kernel/printk_devkmsg ] && echo on >/proc/sys/kernel/printk_devkmsg

touch $share/ready
cd /srv/codejail
bash $share/command
echo $? >$share/status
dmesg >$share/dmesg
sync
# The last characters leave the serial line before the power goes.
sleep 0.3
echo o >/proc/sysrq-trigger
sleep 60
