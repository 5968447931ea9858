#!/usr/bin/env bash
# What S3 wrote is what the mount shows; odd keys have an alias; what is renamed here is renamed there.
set -euo pipefail
cd "$MNT"
(cd from-s3 && sha256sum -c /prepared.sums)
[ -d from-s3/both ]
[ "$(cat from-s3/both/child)" = child ]
find from-s3 -name '.s3~*' | grep -q .
mv from-s3/plain from-s3/renamed
mkdir from-s3/made
mv from-s3/dir from-s3/made/dir
rm from-s3/doomed
printf 'more' >>from-s3/appended
