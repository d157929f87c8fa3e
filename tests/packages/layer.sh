#!/bin/sh
# A throw-away layer over an unpacked Debian: FOLDER DEBIAN PACKAGE PATH. What comes on standard input runs in it.
set -e
cd "$1"
mkdir -p upper work root
mount -t overlay -o lowerdir="$2",upperdir=upper,workdir=work overlay root
mount -t proc proc root/proc
mount --rbind /dev root/dev
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
ip link set lo up
cp "$3" root/tmp/watchword.deb
exec chroot root env -i PATH="$4" HOME=/root LANG=C.UTF-8 bash -s
