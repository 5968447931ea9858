#!/usr/bin/env bash
# Hard links, symlinks, modes, owners, times: as POSIX has them.
set -euo pipefail
# Succeeds only if the command fails.
refused() { if "$@" >/dev/null 2>&1; then echo "should have failed: $*"; exit 1; fi; }
mkdir "$MNT/links"
cd "$MNT/links"
echo one >a
ln a b
mkdir sub
ln a sub/c
[ "$(stat -c %h a)" = 3 ]
[ "$(stat -c %i a)" = "$(stat -c %i sub/c)" ]
echo two >>b
[ "$(cat sub/c)" = "$(printf 'one\ntwo')" ]
rm a
[ "$(stat -c %h b)" = 2 ]
mv b sub/d
[ "$(cat sub/d)" = "$(cat sub/c)" ]
ln -s no/such target
[ "$(readlink target)" = no/such ]
refused cat target
touch -d '2001-02-03 04:05:06' sub/c
[ "$(stat -c %Y sub/d)" = "$(date -d '2001-02-03 04:05:06' +%s)" ]
chmod 640 sub/c
[ "$(stat -c %a sub/d)" = 640 ]
chown 1000:1001 sub/c
[ "$(stat -c %u:%g sub/d)" = 1000:1001 ]
refused rmdir sub
refused mkdir sub
refused ln sub other
mkdir -p x/y
refused mv x x/y/z
name=$(head -c 255 /dev/zero | tr '\0' n)
echo long >"$name"
[ "$(cat "$name")" = long ]
refused touch "${name}n"
mkfifo -m 620 pipe
[ "$(stat -c '%F %a %s' pipe)" = 'fifo 620 0' ]
echo through >pipe &
[ "$(cat pipe)" = through ]
wait
mknod null c 1 3
[ "$(stat -c '%F %t:%T' null)" = 'character special file 1:3' ]
ln pipe pipe2
mv pipe2 sub/pipe
cp -a sub/pipe null x/
[ "$(stat -c %F x/pipe)" = fifo ]
[ "$(stat -c '%t:%T' x/null)" = 1:3 ]
rm pipe null
exec 7>open; echo before >&7; rm open; echo after >&7; exec 7>&-
[ ! -e open ]
