#!/usr/bin/env python3
"""The S3 table of docs/performance.md, of one build of the server or of several in turn: what did a change cost?

Each round gives every build a fresh store on six drives, 4+2, and every row one run; the order turns round, for the
machine is not the same from one minute to the next. Servers are pinned to core 1 under
real-time scheduling, the load to core 0 (needs root). Prints medians and ranges of the server's CPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "support")]

from server import Server

SERVER_CORE = ["chrt", "-a", "-r", "-p", "5"], ["taskset", "-a", "-p", "2"]
ONE_WORKER = {"OUTCROP_SERVER_WORKERS": "1", "OUTCROP_SERVER_MAX_CONNECTIONS_PER_ADDRESS": "0"}
LOAD_CORE = ["chrt", "-r", "5", "taskset", "-c", "0"]


@dataclass(frozen=True)
class Row:
    """One load, as options of `outcrop bench s3`."""

    name: str
    options: str
    per_byte: bool = False


ROWS = [
    Row("GET 4 KiB", "--size 4KiB --concurrency 64 --mix get=100 --objects 1000"),
    Row("PUT 4 KiB", "--size 4KiB --concurrency 64 --mix put=100"),
    Row("GET 16 MiB", "--size 16MiB --concurrency 8 --mix get=100 --objects 10", per_byte=True),
    Row("PUT 16 MiB", "--size 16MiB --concurrency 16 --mix put=100", per_byte=True),
    Row("List, pages of 1000", "--size 4KiB --concurrency 16 --mix list=100 --objects 20000 --list-keys 1000"),
]


def measure(bench: Path, server: Server, row: Row, prefix: str, seconds: float) -> float:
    """Server CPU in microseconds for each operation, or in seconds for each GB."""
    key = server.credentials()
    done = subprocess.run(
        [*LOAD_CORE, str(bench), "bench", "s3", "--endpoint", server.endpoint, "--access-key", key.access_key,
         "--secret-key", key.secret_key, "--prefix", f"{prefix}/", "--duration", str(seconds), "--server-pid",
         str(server.pid), "--json", *row.options.split()], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    if result["errors"]:
        raise RuntimeError(f"{row.name}: {result['errors']} errors")
    if row.per_byte:
        return float(result["server_cpu"]["seconds"]) / result["bytes"] * 1e9
    return float(result["server_cpu"]["us_per_op"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, action="append", required=True, help="several: in turn")
    parser.add_argument("--outcrop", type=Path, required=True, help="whose `bench s3` loads them all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    took: dict[tuple[Path, str], list[float]] = {}
    for number in range(options.rounds):
        for build in options.outcropd[:: -1 if number % 2 else 1]:
            with Server(build, drives=6, scratch=options.scratch, segment_size="64MiB", environment=ONE_WORKER) as server:
                for command in SERVER_CORE:
                    subprocess.run([*command, str(server.pid)], check=True, stdout=subprocess.DEVNULL)
                for row in ROWS:
                    took.setdefault((build, row.name), []).append(
                        measure(options.outcrop, server, row, row.name.replace(" ", "-"), options.seconds))
        print(f"round {number + 1} of {options.rounds}", flush=True)
    for row in ROWS:
        for build in options.outcropd:
            some = took[build, row.name]
            print(f"{row.name:<20} {statistics.median(some):9.2f} ({min(some):.2f}-{max(some):.2f}) "
                  f"{'s/GB' if row.per_byte else 'us'}  {build}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
