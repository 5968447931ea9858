#!/usr/bin/env bash
# Writes and syncs files, holds a lock and an open file, while the server is killed and started again.
set -euo pipefail
mkdir -p "$MNT/recovery"
cd "$MNT/recovery"
exec 8>locked
flock -x 8
exec 9>kept
echo first >&9
: >/tmp/sums
end=$((SECONDS + ${RUN_SECONDS:-45}))
n=0
while [ $SECONDS -lt "$end" ]; do
  n=$((n + 1))
  head -c $((n * 3777 % 400000 + 1)) /dev/urandom >/tmp/piece
  dd if=/tmp/piece of="file$n" bs=64k conv=fsync status=none
  echo "$(sha256sum </tmp/piece | cut -d' ' -f1)  file$n" >>/tmp/sums
  if [ $((n % 7)) = 0 ]; then mv "file$n" "moved$n"; sed -i "s,  file$n\$,  moved$n," /tmp/sums; fi
done
echo last >&9
exec 9>&-
[ "$(cat kept)" = "$(printf 'first\nlast')" ]
# The lock was reclaimed: nobody else can have it now.
if flock -n -x "$MNT2/recovery/locked" -c true; then echo "the lock was lost"; exit 1; fi
flock -u 8
echo 3 >/proc/sys/vm/drop_caches
sha256sum -c /tmp/sums >/tmp/checked || { grep -v ': OK' /tmp/checked; exit 1; }
echo "files: $n"
