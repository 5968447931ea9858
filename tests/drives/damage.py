"""Random damage to files of a drive, and a snapshot that takes it back."""

from __future__ import annotations

import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

BLOCK = 4096
_ZERO = bytes(BLOCK)


@dataclass(frozen=True)
class Damage:
    """What was done where."""

    kind: str
    path: Path
    offset: int

    @property
    def area(self) -> str:
        """The part of the drive: its first folder."""
        return self.path.parent.name or "."


class Damager:
    """Picks files by area, so that small areas (journal, index) are hit as often as the segments."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _pick_file(self, drive: Path) -> Path | None:
        areas: dict[str, list[Path]] = {}
        for path in sorted(drive.rglob("*")):
            if path.is_file() and path.stat().st_size > 0:
                areas.setdefault(path.relative_to(drive).parts[0], []).append(path)
        if not areas:
            return None
        return self._random.choice(areas[self._random.choice(sorted(areas))])

    def _pick_block(self, path: Path) -> int:
        """The offset of a block that holds data, as far as 64 tries find one."""
        blocks = max(1, path.stat().st_size // BLOCK)
        offset = 0
        with path.open("rb") as file:
            for attempt in range(64):
                within = blocks if attempt % 2 else min(blocks, 64)
                offset = self._random.randrange(within) * BLOCK
                file.seek(offset)
                if file.read(BLOCK).strip(b"\0"):
                    break
        return offset

    def hit(self, drive: Path) -> Damage | None:
        """One random damage on a drive."""
        path = self._pick_file(drive)
        if path is None:
            return None
        kind = self._random.choices(["flip", "zero", "swap", "truncate"], [45, 20, 25, 10])[0]
        offset = self._pick_block(path)
        getattr(self, f"_{kind}")(path, offset)
        return Damage(kind, path.relative_to(drive), offset)

    def _flip(self, path: Path, offset: int) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            block = bytearray(file.read(BLOCK))
            used = len(bytes(block).rstrip(b"\0")) or len(block)
            block[self._random.randrange(used)] ^= 1 << self._random.randrange(8)
            file.seek(offset)
            file.write(block)

    def _zero(self, path: Path, offset: int) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            size = len(file.read(BLOCK))
            file.seek(offset)
            file.write(_ZERO[:size])

    def _swap(self, path: Path, offset: int) -> None:
        other = self._pick_block(path)
        with path.open("r+b") as file:
            file.seek(offset)
            first = file.read(BLOCK)
            file.seek(other)
            second = file.read(BLOCK)
            if len(first) == len(second):
                file.seek(offset)
                file.write(second)
                file.seek(other)
                file.write(first)

    def _truncate(self, path: Path, offset: int) -> None:
        with path.open("r+b") as file:
            file.truncate(offset)


class Snapshot:
    """A copy of all drives; restore() copies back only what changed since."""

    def __init__(self, drives: list[Path], where: Path) -> None:
        self._drives = drives
        self._where = where
        where.mkdir()
        for drive in drives:
            subprocess.run(["cp", "-a", "--reflink=auto", str(drive), str(where / drive.name)], check=True, timeout=600)

    @staticmethod
    def _manifest(root: Path) -> dict[Path, tuple[int, int]]:
        return {p.relative_to(root): (p.stat().st_size, p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}

    def restore(self) -> None:
        """The server must not run."""
        for drive in self._drives:
            pristine = self._where / drive.name
            want, have = self._manifest(pristine), self._manifest(drive)
            for path in have.keys() - want.keys():
                (drive / path).unlink()
            for path in [p for p, mark in want.items() if have.get(p) != mark]:
                (drive / path).parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", "--reflink=auto", str(pristine / path), str(drive / path)],
                               check=True, timeout=600)

    def drop(self) -> None:
        """Removes the copy."""
        shutil.rmtree(self._where, ignore_errors=True)
