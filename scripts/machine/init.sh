#!/bin/busybox sh
# The first process of the test machine: this host's root file system, read-only, under an overlay in
# memory, so that nothing of what the tests do lasts. Then session.sh goes on in there.
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b insmod /overlay.ko
$b mount -t virtiofs root /lower -o ro
$b mount -t tmpfs upper /upper -o size=75%
$b mkdir -p /upper/files /upper/work
$b mount -t overlay root /new -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work
$b mkdir -p /new/codejail-machine
$b mount -t virtiofs share /new/codejail-machine
for directory in dev proc sys; do $b mount --move /$directory /new/$directory; done
exec $b switch_root /new /bin/bash /codejail-machine/session.sh
