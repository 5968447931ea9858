#!/usr/bin/env bash
# Many kinds of file system calls at once, verified by stress-ng.
# with: stress-ng
set -euo pipefail
mkdir "$MNT/stress"
cd "$MNT/stress"
for one in access chmod dentry dir fallocate fcntl hdd iomix link locka lockf open rename seek symlink sync-file utime; do
  case $one in lock*) [ "${VERSION%%.*}" != 3 ] || continue ;; esac
  stress-ng --temp-path "$MNT/stress" --"$one" 1 --"$one"-ops 30 --timeout 5 --verify --quiet || { echo "stress-ng: $one"; exit 1; }
done
