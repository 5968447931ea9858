#!/usr/bin/env bash
# Container start: the directories below /drives are the drives; formats them once, when all are blank.
set -euo pipefail

config=/etc/outcrop/outcrop.toml

die() { printf 'outcrop: %s\n' "$*" >&2; exit 2; }

blank() { [[ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ]]; }

if [[ -z "${OUTCROP_STORAGE_DRIVES:-}" ]]; then
  shopt -s nullglob
  drives=(/drives/*/)
  (( ${#drives[@]} > 0 )) || die "no drives: mount a volume per drive below /drives, as in -v /mnt/d1:/drives/1"
  drives=("${drives[@]%/}")
  OUTCROP_STORAGE_DRIVES=$(IFS=,; echo "${drives[*]}")
  export OUTCROP_STORAGE_DRIVES
fi

IFS=, read -r -a drives <<<"$OUTCROP_STORAGE_DRIVES"
blank_count=0
for drive in "${drives[@]}"; do
  [[ -w $drive ]] || die "$drive is not writable by user $(id -u):$(id -g): chown it, or run with --user"
  if blank "$drive"; then blank_count=$((blank_count + 1)); fi
done
if (( blank_count == ${#drives[@]} )); then
  outcropd --config "$config" --init
fi
exec outcropd --config "$config" "$@"
