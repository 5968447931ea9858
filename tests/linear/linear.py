#!/usr/bin/env python3
"""Linearizability: clients that race for few keys while the server is killed, and while a drive fails or is slow.

Each history is one run of linear_load: some clients, a handful of keys, conditional and plain writes, uploads, copies,
removes, reads and listings in pages. Its checker looks for an order of all answers of a key that an object could have
given on which operations happen one at a time. A violation leaves the history behind.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "support")]

from server import Server, ServerFailed

DRIVES = 6
BUCKET = "linear"
HISTORIES_PER_STORE = 10
# What a drive does meanwhile. The store of six drives stands two that leave.
FAULTS = [
    "",
    "drive=1,where=segment,step=write,nth=40",
    "drive=2,where=segment,kind=delay,delay_ms=30,probability=0.2,times=always",
    "drive=3,where=journal,step=write,nth=60;drive=4,where=segment,step=read,probability=0.05,times=always",
    "drive=0,where=segment,kind=flip,step=read,probability=0.05,times=always",
]


class Run:
    """Histories on one store after the other."""

    def __init__(self, options: argparse.Namespace, seed: int, folder: Path) -> None:
        self.options, self.folder = options, folder
        self.random = random.Random(seed)
        self.failed = 0
        self.lines: list[str] = []

    def one(self, server: Server) -> None:
        """One history; in half of them the server is killed once."""
        key = server.credentials()
        seed = self.random.getrandbits(31)
        clients = self.random.randint(8, 32)
        keys = max(6, clients // 2)  # what is unanswered after a kill multiplies the orders of a key
        environment = os.environ | {"AWS_ACCESS_KEY_ID": key.access_key, "AWS_SECRET_ACCESS_KEY": key.secret_key}
        load = subprocess.Popen(
            [str(self.options.load), server.endpoint, BUCKET, f"h{seed}/", str(clients), str(keys),
             str(self.options.operations), str(seed), str(self.folder)],
            env=environment, stdout=subprocess.PIPE, text=True)
        kill_after = self.random.uniform(0.1, 1.0) if self.random.random() < 0.5 else None
        killed = False
        try:
            if kill_after is not None:
                try:
                    load.wait(kill_after)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.start()
                    killed = True
            out, _ = load.communicate(timeout=300)
        except BaseException:
            load.kill()
            raise
        line = out.strip().splitlines()
        print(f"{clients} clients{', killed' if killed else ''}: " + "\n".join(line), flush=True)
        self.lines += line[-1:]
        self.failed += load.returncode != 0

    def store(self, number: int, histories: int) -> None:
        """A fresh store, with a fault of its own."""
        plan = FAULTS[number % len(FAULTS)]
        print(f"store {number}: {plan or 'no fault'}", flush=True)
        with Server(self.options.outcropd, drives=DRIVES, scratch=self.options.scratch) as server:
            client = server.client()
            client.put(BUCKET, "", b"")
            client.close()
            server.stop()
            server.flags = ("--test-faults", plan) if plan else ()  # from now on, also after a kill
            server.start()
            for _ in range(histories):
                self.one(server)


def figure(lines: list[str], what: str) -> int:
    """The sum of "N what" over all lines."""
    parts = [part.split(" ", 1) for line in lines for part in line.split(": ", 1)[1].split(", ")]
    return sum(int(number) for number, name in parts if name == what)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--load", type=Path, required=True, help="linear_load")
    parser.add_argument("--histories", type=int, default=10)
    parser.add_argument("--operations", type=int, default=5000, help="of each history")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(31)
    print(f"linear: seed {seed}", flush=True)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="outcrop-linear-", dir=options.scratch))
    run = Run(options, seed, folder)
    try:
        per_store = min(HISTORIES_PER_STORE, max(1, options.histories // len(FAULTS)))
        for number, done in enumerate(range(0, options.histories, per_store)):
            run.store(number, min(per_store, options.histories - done))
    except ServerFailed as failure:
        print(failure)
        run.failed += 1
    if run.failed:
        print(f"kept for a look: {folder}")
    else:
        folder.rmdir()
    print(f"linear: {len(run.lines)} histories, {figure(run.lines, 'operations')} operations, "
          f"{figure(run.lines, 'without an answer')} without an answer, {figure(run.lines, 'of 5xx')} of 5xx, "
          f"{run.failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
