#!/usr/bin/env python3
"""T21: what clients feel of a rebuild. The 99th percentile of small reads and writes on a healthy store, and while the
content of a lost drive is rebuilt onto a blank one; with --grow while data is spread over a drive that was added.

Each round loses or adds another drive. A rebuild that is over before the load is makes the round void: fill more.
Drives are directories of one file system, or with --drive-mib file systems of their own that can be half full.
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
DRIVES_TO_GROW = 5  # 3+2, which is written anew as 4+2
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

    def wait(self, done: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline:
                raise ServerFailed(f"{what}: not within {PATIENCE_SECONDS} s")
            time.sleep(0.1)

    def drive(self, path: Path) -> Any:
        return next(d for d in self.server.admin("GET", "/v1/drives")["drives"] if d["path"] == str(path))

    def begin(self) -> None:
        """Something that takes long, beside which the load is to run."""
        raise NotImplementedError

    def left(self) -> int:
        """Bytes that it is to move yet."""
        raise NotImplementedError

    def over(self) -> bool:
        raise NotImplementedError

    def put_in(self, replaces: int | None) -> None:
        """A drive that is blank."""
        new = self._blank.pop(0)
        new.mkdir(mode=0o700, exist_ok=True)
        wanted: dict[str, Any] = {"path": str(new)}
        if replaces is not None:
            wanted["replaces"] = replaces
        self.server.admin("POST", "/v1/drives", wanted)
        self.server.drives.append(new)


class LosingBox(Box):
    """Its drives die."""

    def repair(self) -> Any:
        return self.server.admin("GET", "/v1/drives")["repair"]

    def begin(self) -> None:
        drive = self.server.drives.pop(0)
        slot = self.drive(drive)["slot"]
        drive.rename(drive.with_name(drive.name + ".dead"))
        self.wait(lambda: self.drive(drive)["state"] != "live", "the drive goes")
        self.put_in(slot)

    def left(self) -> int:
        return int(self.repair()["bytes_left"])

    def over(self) -> bool:
        repair = self.repair()
        return bool(repair["degraded"] == 0 and repair["moving"] == 0)


class GrowingBox(Box):
    """It gets more drives."""

    def rebalance(self) -> Any:
        return self.server.admin("GET", "/v1/drives")["rebalance"]

    def begin(self) -> None:
        self.put_in(None)
        self.wait(lambda: self.rebalance()["state"] == "running", "data is spread")

    def left(self) -> int:
        return int(self.rebalance()["bytes_left"])

    def over(self) -> bool:
        return bool(self.rebalance()["state"] == "idle")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--outcrop", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--fill-mib", type=int, default=4096)
    parser.add_argument("--drive-mib", type=int, help="each drive is a file system of this size (needs root)")
    parser.add_argument("--grow", action="store_true", help="drives are added, and none is lost")
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    ratios: dict[str, list[float]] = {}
    first = DRIVES_TO_GROW if options.grow else DRIVES
    with contextlib.ExitStack() as stack:
        drives: list[Path] = []
        if options.drive_mib:
            drives = stack.enter_context(loop_drives([options.drive_mib] * (first + options.rounds), options.scratch))
        server = stack.enter_context(Server(options.outcropd, drives=first, directories=drives[:first],
                                            scratch=options.scratch, segment_size="64MiB",
                                            extra_config='rebalance_after = "1s"' if options.grow else ""))
        blank = drives[first:] or [server.root / f"drive{first + n}" for n in range(options.rounds)]
        box = (GrowingBox if options.grow else LosingBox)(server, options.outcrop, options, blank)
        box.fill()
        for number in range(options.rounds):
            healthy = box.load(f"healthy{number}")
            box.begin()
            began = time.monotonic()
            rebuilding = box.load(f"rebuilding{number}")
            void, left = box.over(), box.left()
            box.wait(box.over, "the rebuild ends")
            took = time.monotonic() - began
            print(f"round {number + 1}: rebuild {took:.0f} s{', VOID: over before the load' if void else ''}, "
                  f"{left >> 20} MiB left behind the load", flush=True)
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
