#!/usr/bin/env python3
"""A box that is full gets a drive more: writing works again soon, and in the end all drives are as full as each other."""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from full_disk import BUCKET, FillAndDrain
from loop_drives import available, loop_drives
from nfsclient import nfs_config
from server import Server, free_ports

DRIVES = 5
AFTER_SECONDS = 20
ROOM_SECONDS_MAX, EVEN_SECONDS_MAX = 60, 600
APART_MAX = 0.25  # of the shards: some drives have metadata, too


def shards(server: Server) -> list[int]:
    """Of each drive, which are of one size: how full it is, without files that wait for a segment."""
    return [d["shards"] for d in server.admin("GET", "/v1/drives")["drives"]]


def grow(run: FillAndDrain, new: Path, kind: str) -> str:
    """Fill, add, wait for room, wait until nothing is left to do; then it is filled again."""
    server, client = run.server, run.server.client()
    run.fill(kind, 1_000_000)
    before, first = shards(server), run.written
    server.admin("POST", "/v1/drives", {"path": str(new)})
    room = run.wait_for_room(client, ROOM_SECONDS_MAX)
    began = time.monotonic()
    status: Any = {}
    seen: set[str] = set()
    while time.monotonic() - began < EVEN_SECONDS_MAX:
        status = server.admin("GET", "/v1/drives")["rebalance"]
        seen.add(status["state"])
        if status["state"] == "idle" and "running" in seen and time.monotonic() - began > AFTER_SECONDS + 10:
            break
        time.sleep(0.5)
    else:
        run.problems.append(f"not even after {EVEN_SECONDS_MAX} s: {status}, seen {sorted(seen)}")
    took, after = time.monotonic() - began, shards(server)
    if max(after) - min(after) > APART_MAX * max(after):
        run.problems.append(f"drives have {after} shards, and nothing is left to do")
    run.look(client, 200)
    done = [line for line in server.metrics().splitlines() if line.startswith(("outcrop_segments_widened_total ",
                                                                              "outcrop_shards_rebalanced_total "))]
    run.fill(kind, 1_000_000)
    run.look(client, 200)
    client.close()
    return (f"{kind}: {first >> 20} MiB until full, room again after {room:.1f} s, even after {took:.0f} s, "
            f"{(run.written - first) >> 20} MiB more until full again; {'; '.join(done)}\n"
            f"  shards of each drive: before {before}, after {after}, full again {shards(server)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--mebibytes", type=int, default=256, help="size of each drive's device")
    parser.add_argument("--kinds", nargs="+", default=["large", "small"], help="of full_disk.py")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    if reason := available():
        print(f"grow: SKIPPED, {reason}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"grow: seed {seed}, {DRIVES} drives of {options.mebibytes} MiB and one more", flush=True)
    problems: list[str] = []
    for kind in options.kinds:
        (port,) = free_ports(1)
        with loop_drives([options.mebibytes] * (DRIVES + 1), options.scratch) as directories, \
                Server(options.outcropd, directories=directories[:DRIVES], scratch=options.scratch, segment_size="auto",
                       extra_config=nfs_config(port, BUCKET)) as server:
            server.stop()
            server.set_environment("OUTCROP_STORAGE_REBALANCE_AFTER", f"{AFTER_SECONDS}s")
            server.start()
            client = server.client()
            client.create_bucket(BUCKET)
            client.close()
            run = FillAndDrain(server, seed, port)
            print(grow(run, directories[DRIVES], kind), flush=True)
            server.stop()
        problems += run.problems
    for problem in problems[:20]:
        print(f"  {problem}")
    print(f"grow: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
