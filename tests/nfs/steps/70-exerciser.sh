#!/usr/bin/env bash
# Random reads, writes, mmap stores, truncations and holes of one file against a copy in memory.
# with: EXERCISER
set -euo pipefail
"$EXERCISER" "$MNT/exercised" 1 "${EXERCISE_OPERATIONS:-3000}"
"$EXERCISER" "$MNT/exercised2" 2 "${EXERCISE_OPERATIONS:-3000}"
