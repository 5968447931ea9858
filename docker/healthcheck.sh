#!/usr/bin/env bash
# Exit 0 when /health/ready answers 200.
set -euo pipefail

port=${OUTCROP_SERVER_ADMIN:-127.0.0.1:9001}
port=${port##*:}
exec 3<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
IFS= read -r -t 4 status <&3
[[ $status == *" 200"* ]]
