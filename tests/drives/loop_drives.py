"""Small real file systems as drives: ext4 or xfs in files, on loop devices. Needs root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path


def available() -> str:
    """Empty, or why there can be none here."""
    if os.geteuid() != 0:
        return "only root mounts file systems"
    if not shutil.which("mkfs.ext4"):
        return "no mkfs.ext4"
    try:
        with loop_drives([16]):
            return ""
    except subprocess.CalledProcessError as error:
        return f"no loop mounts: {error.stderr.decode(errors='replace').strip()}"


@contextlib.contextmanager
def loop_drives(mebibytes: Sequence[int], scratch: Path | None = None, kind: str = "ext4") -> Iterator[list[Path]]:
    """Directories on file systems of their own, of these sizes; unmounted and removed afterwards."""
    root = Path(tempfile.mkdtemp(prefix="outcrop-loop-", dir=scratch))
    mounted: list[Path] = []
    try:
        for i, size in enumerate(mebibytes):
            image, mount = root / f"image{i}", root / f"mount{i}"
            with image.open("wb") as file:
                file.truncate(size << 20)
            subprocess.run([f"mkfs.{kind}", "-q", str(image)], check=True, capture_output=True)
            mount.mkdir()
            subprocess.run(["mount", "-o", "loop,noatime", str(image), str(mount)], check=True, capture_output=True)
            mounted.append(mount)
            (mount / "drive").mkdir(mode=0o700)
        yield [mount / "drive" for mount in mounted]
    finally:
        for mount in mounted:
            subprocess.run(["umount", str(mount)], check=False, capture_output=True)
        shutil.rmtree(root, ignore_errors=True)
