#!/usr/bin/env bash
# cp -r, tar x and mv of trees: names, contents, modes and links arrive as they were.
set -euo pipefail
mkdir -p /tmp/src/a/b/c /tmp/src/empty
for i in $(seq 1 40); do head -c $((i * 777)) /dev/urandom >"/tmp/src/a/file$i"; done
head -c 5000000 /dev/urandom >/tmp/src/a/b/large
echo deep >/tmp/src/a/b/c/deep
: >/tmp/src/a/zero
chmod 755 /tmp/src/a/file1
chmod 600 /tmp/src/a/file2
ln -s b/large /tmp/src/a/symlink
cp -a /tmp/src "$MNT/copied"
(cd /tmp/src && find . -type f -exec sha256sum {} + | sort) >/tmp/want
(cd "$MNT/copied" && find . -type f -exec sha256sum {} + | sort) >/tmp/got
cmp /tmp/want /tmp/got
[ "$(readlink "$MNT/copied/a/symlink")" = b/large ]
[ "$(stat -c %a "$MNT/copied/a/file1")" = 755 ]
[ "$(stat -c %a "$MNT/copied/a/file2")" = 600 ]
[ -d "$MNT/copied/empty" ]

tar -C /tmp -cf /tmp/src.tar src
mkdir "$MNT/untarred"
tar -C "$MNT/untarred" -xf /tmp/src.tar
(cd "$MNT/untarred/src" && find . -type f -exec sha256sum {} + | sort) >/tmp/got
cmp /tmp/want /tmp/got

mv "$MNT/untarred/src" "$MNT/moved"
(cd "$MNT/moved" && find . -type f -exec sha256sum {} + | sort) >/tmp/got
cmp /tmp/want /tmp/got
[ ! -e "$MNT/untarred/src" ]
mkdir "$MNT/over"
mv -T "$MNT/moved" "$MNT/over"
[ -e "$MNT/over/a/b/c/deep" ]
mv "$MNT/over/a/file3" "$MNT/over/a/file4"
[ ! -e "$MNT/over/a/file3" ]
cmp /tmp/src/a/file3 "$MNT/over/a/file4"
