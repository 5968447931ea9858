#!/usr/bin/env bash
# df shows space; writing takes some of it.
set -euo pipefail
read -r _ total used free _ < <(df -k "$MNT" | tail -n 1)
[ "$total" -gt 0 ]
[ "$free" -gt 0 ]
[ $((used + free)) -le "$total" ]
df -i "$MNT" >/dev/null
