#!/usr/bin/env bash
# Encrypted objects are read and moved like others, and never changed; without the key they are not read.
set -euo pipefail
cd "$MNT"
(cd encrypted && sha256sum -c /prepared.sums)
cd encrypted
[ "$(stat -c %s large)" = 300000 ]
echo 3 >/proc/sys/vm/drop_caches
dd if=large of=/tmp/middle bs=1000 skip=65 count=3 status=none
cat large >/tmp/large
cmp /tmp/middle <(tail -c +65001 /tmp/large | head -c 3000)

refused() {
  if "$@" 2>/tmp/why; then
    echo "not refused: $*"
    exit 1
  fi
  grep -q 'Permission denied' /tmp/why || { cat /tmp/why; exit 1; }
}
refused bash -c 'echo more >>plain'
refused bash -c 'echo other >plain'
refused truncate -s 5 large
refused dd if=/dev/zero of=large bs=1 count=1 conv=notrunc
refused cat clients-own
sha256sum -c /prepared.sums

cp large copied
cp --reflink=auto parts cloned
cmp parts cloned
echo more >>copied
chmod 600 large
ln large linked
mv large moved
mv copied plain
rm clients-own empty
