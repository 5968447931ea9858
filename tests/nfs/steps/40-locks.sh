#!/usr/bin/env bash
# flock: exclusive means one, shared means many, released at the end of the holder.
# versions: 4.2 4.1 4.0
set -euo pipefail
# Succeeds only if the command fails.
refused() { if "$@" >/dev/null 2>&1; then echo "should have failed: $*"; exit 1; fi; }
: >"$MNT/lockfile"
exec 8>"$MNT/lockfile"
flock -x 8
refused flock -n -x "$MNT/lockfile" -c true
flock -u 8
flock -n -s "$MNT/lockfile" -c "flock -n -s '$MNT/lockfile' -c true"
for _ in 1 2 3 4; do
  (for _ in $(seq 1 25); do
    flock -x "$MNT/lockfile" -c "n=\$(cat '$MNT/counter' 2>/dev/null || echo 0); echo \$((n + 1)) >'$MNT/counter'"
  done) &
done
wait
[ "$(cat "$MNT/counter")" = 100 ]
