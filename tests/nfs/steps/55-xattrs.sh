#!/usr/bin/env bash
# User attributes: set, list, replace, remove; user.s3.meta.* is what S3 calls metadata.
# versions: 4.2
# with: setfattr=attr
# with: getfattr=attr
set -euo pipefail
# Succeeds only if the command fails.
refused() { if "$@" >/dev/null 2>&1; then echo "should have failed: $*"; exit 1; fi; }
echo x >"$MNT/attributed"
setfattr -n user.colour -v blue "$MNT/attributed"
setfattr -n user.s3.meta.owner -v me "$MNT/attributed"
[ "$(getfattr --only-values -n user.colour "$MNT/attributed" 2>/dev/null)" = blue ]
setfattr -n user.colour -v red "$MNT/attributed"
[ "$(getfattr --only-values -n user.colour "$MNT/attributed" 2>/dev/null)" = red ]
getfattr -d "$MNT/attributed" 2>/dev/null | grep -q s3.meta.owner
setfattr -x user.colour "$MNT/attributed"
refused getfattr -n user.colour "$MNT/attributed"
