#!/usr/bin/env bash
# fallocate, punched holes, seek for data and holes, clone and server-side copy.
# versions: 4.2
# with: fallocate=util-linux
# with: xfs_io=xfsprogs
set -euo pipefail
head -c 4000000 /dev/urandom >/tmp/data
cp /tmp/data "$MNT/holes"
cp /tmp/data /tmp/holes
fallocate -p -o 1000000 -l 1000000 "$MNT/holes"
dd if=/dev/zero of=/tmp/holes bs=1000000 seek=1 count=1 conv=notrunc status=none
cmp /tmp/holes "$MNT/holes"
fallocate -l 6000000 "$MNT/holes"
[ "$(stat -c %s "$MNT/holes")" = 6000000 ]
xfs_io -c "seek -a -r 0" "$MNT/holes" | grep -q HOLE
xfs_io -f -c "reflink $MNT/holes" "$MNT/cloned"
cmp "$MNT/holes" "$MNT/cloned"
xfs_io -c "reflink $MNT/holes 0 4096 8192" "$MNT/cloned"
dd if=/tmp/holes bs=4096 count=2 status=none | cmp - <(dd if="$MNT/cloned" bs=4096 skip=1 count=2 status=none)
xfs_io -f -c "copy_range $MNT/holes" "$MNT/copied_range"
cmp "$MNT/holes" "$MNT/copied_range"
cp "$MNT/holes" "$MNT/copied-holes"
cmp "$MNT/holes" "$MNT/copied-holes"
