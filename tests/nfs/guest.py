"""Runs a bash script in a small Linux guest whose kernel mounts an export of a server on this machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_MOUNT_AND_RUN = r"""#!/usr/bin/env bash
set -euo pipefail
mkdir -p /mnt/1 /mnt/2
for i in $(seq 1 "$MOUNTS"); do
  mount -t nfs ${OPTIONS:+-o "$OPTIONS"} "$SERVER:$EXPORT" /mnt/"$i"
done
export MNT=/mnt/1 MNT2=/mnt/2
[ -z "$VERSION" ] || grep -q "vers=$VERSION" /proc/mounts || { echo "not mounted as $VERSION:"; cat /proc/mounts; exit 1; }
bash /step || { echo "the step ended with $?"; exit 1; }
cd /mnt/1
find . -path '*/.s3~*' -prune -o -type f -exec sha256sum {} + >/out/manifest
cd /
for i in $(seq 1 "$MOUNTS"); do umount /mnt/"$i"; done
"""


@dataclass
class Result:
    """What a run printed, whether it succeeded, and the SHA-256 of every file it left, by path."""

    code: int
    output: str
    manifest: dict[str, str]


@dataclass
class Guest:
    """How to mount: `port` on this machine's loopback, `options` for mount -o (empty: none at all)."""

    port: int
    export: str
    options: str = ""
    version: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    timeout_seconds: int = 600

    def run(self, step: Path, mounts: int = 1, programs: Sequence[str] = (),
            files: Sequence[tuple[Path, str]] = ()) -> Result:
        """Boots, mounts, runs `step`; `files` are (path here, path in the guest)."""
        scratch = Path(tempfile.mkdtemp(prefix="outcrop-nfs-"))
        try:
            wrapper = scratch / "wrapper"
            wrapper.write_text(_MOUNT_AND_RUN)
            command = [str(_HERE / "nfs-client-vm"), "run", "--port", str(self.port), "--out", str(scratch / "out"),
                       "--timeout", str(self.timeout_seconds), "--copy", f"{step}:/step"]
            environment = self.environment | {
                "OPTIONS": self.options, "EXPORT": self.export, "MOUNTS": str(mounts), "VERSION": self.version}
            for name, value in environment.items():
                command += ["--env", f"{name}={value}"]
            for program in programs:
                command += ["--with", program]
            for here, there in files:
                command += ["--copy", f"{here}:{there}"]
            (scratch / "out").mkdir()
            done = subprocess.run([*command, str(wrapper)], capture_output=True, text=True, errors="replace",
                                  stdin=subprocess.DEVNULL, timeout=self.timeout_seconds + 120, check=False)
            return Result(done.returncode, done.stdout + done.stderr, _read_manifest(scratch / "out" / "manifest"))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    rows = (line.split("  ", 1) for line in path.read_text().splitlines())
    return {name.removeprefix("./"): digest for digest, name in rows}
