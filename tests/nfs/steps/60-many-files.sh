#!/usr/bin/env bash
# rm -rf of many files while others list them: nothing is left, nothing is reported twice.
# mounts: 2
set -euo pipefail
count=${MANY_FILES:-20000}
mkdir "$MNT/many"
(cd "$MNT/many" && seq -w 1 "$count" | sed 's,^,file,' | xargs -n 500 touch)
[ "$(find "$MNT2/many" -type f | wc -l)" = "$count" ]
(for _ in 1 2 3 4 5 6; do find "$MNT2/many" 2>/dev/null | sort | uniq -d | head -n 3; done >/tmp/twice) &
rm -rf "$MNT/many"
wait
[ ! -e "$MNT/many" ]
[ ! -s /tmp/twice ] || { echo "listed twice:"; cat /tmp/twice; exit 1; }
