#!/usr/bin/env bash
# A git repository on the mount: init, commits, clone of a local repository, gc, fsck.
# with: git
# with: git-upload-pack=git
set -euo pipefail
export GIT_CONFIG_NOSYSTEM=1 HOME=/tmp GIT_EXEC_PATH=/usr/bin GIT_TEMPLATE_DIR=
git config --global user.name tester
git config --global user.email tester@example.com
git config --global safe.directory '*'
mkdir "$MNT/repo"
cd "$MNT/repo"
git init -q .
for i in 1 2 3; do
  mkdir -p "dir$i"
  for j in $(seq 1 20); do head -c 2000 /dev/urandom >"dir$i/file$j"; done
  git add .
  git commit -q -m "commit $i"
done
git fsck --strict
git clone -q --no-hardlinks "$MNT/repo" "$MNT/clone"
git -C "$MNT/clone" fsck --strict
[ "$(git -C "$MNT/clone" rev-parse HEAD)" = "$(git rev-parse HEAD)" ]
[ -z "$(git -C "$MNT/clone" status --porcelain)" ]
