#!/usr/bin/env bash
# dd at random offsets, append, truncate, sparse files: the file is what a local file would be.
set -euo pipefail
local=/tmp/local remote=$MNT/random
: >"$local"; : >"$remote"
RANDOM=4711
for i in $(seq 1 150); do
  size=$((RANDOM % 9000 + 1)) offset=$((RANDOM * 40 % 1000000))
  head -c $size /dev/urandom >/tmp/piece
  for to in "$local" "$remote"; do
    dd if=/tmp/piece of="$to" bs=$size seek=$offset oflag=seek_bytes conv=notrunc status=none 2>/dev/null ||
      dd if=/tmp/piece of="$to" bs=1 seek=$offset conv=notrunc 2>/dev/null
  done
  if [ $((i % 25)) = 0 ]; then
    cut=$((RANDOM * 30 % 900000))
    truncate -s $cut "$local"; truncate -s $cut "$remote"
  fi
  if [ $((i % 30)) = 0 ]; then
    cmp "$local" "$remote"
  fi
done
echo appended | tee -a "$local" >>"$remote"
sync
echo 3 >/proc/sys/vm/drop_caches
cmp "$local" "$remote"
truncate -s 3G "$MNT/sparse"
echo end | dd of="$MNT/sparse" bs=1 seek=2147483648 conv=notrunc 2>/dev/null
[ "$(stat -c %s "$MNT/sparse")" = 3221225472 ]
[ "$(dd if="$MNT/sparse" bs=1 skip=2147483648 count=3 2>/dev/null)" = end ]
truncate -s 100 "$MNT/sparse"
[ "$(sha256sum <"$MNT/sparse")" = "$(head -c 100 /dev/zero | sha256sum)" ]
