#!/usr/bin/env python3
"""T21: what clients feel of a rebuild. The 99th percentile of small reads and writes on a healthy store, and while the
content of a lost drive is rebuilt onto a blank one.

Each round loses another drive. A rebuild that is over before the load is makes the round void: fill more. Drives are
directories of one file system, or with --drive-mib file systems of their own that can be half full.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "drives")]

from loop_drives import loop_drives
from server import Server, ServerFailed

DRIVES = 6
PATIENCE_SECONDS = 600


class Box:
    """A store under load."""

    def __init__(self, server: Server, tool: Path, options: argparse.Namespace, blank: list[Path]) -> None:
        self.server, self.tool, self.options = server, tool, options
        self._blank = blank

    def bench(self, *arguments: str) -> Any:
        key = self.server.credentials()
        done = subprocess.run(
            [str(self.tool), "bench", "s3", "--endpoint", self.server.endpoint, "--access-key", key.access_key,
             "--secret-key", key.secret_key, "--json", *arguments], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def fill(self) -> None:
        count = self.options.fill_mib // 16
        self.bench("--prefix", "fill/", "--size", "16MiB", "--mix", "put=100", "--concurrency", "4", "--ops", str(count),
                   "--objects", "1")

    def load(self, prefix: str) -> dict[str, float]:
        """Milliseconds by kind of request."""
        result = self.bench("--prefix", f"{prefix}/", "--size", "64KiB", "--mix", "get=70,put=30", "--objects", "500",
                            "--concurrency", "8", "--duration", str(self.options.seconds))
        if result["errors"]:
            raise ServerFailed(f"{result['errors']} requests failed")
        return {name: row["p99_ms"] for name, row in result["operations"].items() if row["ops"]}

    def repair(self) -> Any:
        return self.server.admin("GET", "/v1/drives")["repair"]

    def wait(self, done: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise ServerFailed(f"{what}: not within {PATIENCE_SECONDS} s")
            time.sleep(0.1)

    def drive(self, path: Path) -> Any:
        return next(d for d in self.server.admin("GET", "/v1/drives")["drives"] if d["path"] == str(path))

    def lose_and_replace(self) -> None:
        drive = self.server.drives.pop(0)
        slot = self.drive(drive)["slot"]
        drive.rename(drive.with_name(drive.name + ".dead"))
        self.wait(lambda: self.drive(drive)["state"] != "live", "the drive goes")
        new = self._blank.pop(0)
        new.mkdir(mode=0o700, exist_ok=True)
        self.server.admin("POST", "/v1/drives", {"path": str(new), "replaces": slot})
        self.server.drives.append(new)

    def whole(self) -> bool:
        repair = self.repair()
        return bool(repair["degraded"] == 0 and repair["moving"] == 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--outcrop", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--fill-mib", type=int, default=4096)
    parser.add_argument("--drive-mib", type=int, help="each drive is a file system of this size (needs root)")
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    ratios: dict[str, list[float]] = {}
    with contextlib.ExitStack() as stack:
        drives: list[Path] = []
        if options.drive_mib:
            drives = stack.enter_context(loop_drives([options.drive_mib] * (DRIVES + options.rounds), options.scratch))
        server = stack.enter_context(Server(options.outcropd, drives=DRIVES, directories=drives[:DRIVES],
                                            scratch=options.scratch, segment_size="64MiB"))
        blank = drives[DRIVES:] or [server.root / f"drive{DRIVES + n}" for n in range(options.rounds)]
        box = Box(server, options.outcrop, options, blank)
        box.fill()
        for number in range(options.rounds):
            healthy = box.load(f"healthy{number}")
            box.lose_and_replace()
            began = time.monotonic()
            rebuilding = box.load(f"rebuilding{number}")
            void = box.whole()
            left = box.repair()
            box.wait(box.whole, "the rebuild ends")
            took = time.monotonic() - began
            print(f"round {number + 1}: rebuild {took:.0f} s{', VOID: over before the load' if void else ''}, "
                  f"{left['bytes_left'] >> 20} MiB left behind the load", flush=True)
            for name in healthy:
                print(f"  {name:<5} p99 {healthy[name]:8.2f} ms healthy, {rebuilding[name]:8.2f} ms while it rebuilds, "
                      f"ratio {rebuilding[name] / healthy[name]:.2f}", flush=True)
                if not void:
                    ratios.setdefault(name, []).append(rebuilding[name] / healthy[name])
    for name, some in ratios.items():
        print(f"{name}: median ratio {statistics.median(some):.2f} of {len(some)} rounds")
    return 0 if ratios else 1


if __name__ == "__main__":
    sys.exit(main())
