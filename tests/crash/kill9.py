#!/usr/bin/env python3
"""kill -9 under load, again and again: no acked write may be lost, no object torn, every start must succeed."""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support")]

from load import BUCKET
from nfsclient import nfs_config
from oracle import Oracle
from rounds import Rounds
from server import Server, ServerFailed, free_ports

START_SECONDS_MAX = 30
MIB = 1 << 20
# Each run leaves open segments behind: the next one must take back what was not used of them.
MOST_ON_DRIVES = 2048 * MIB
MOST_PER_KILL = 64 * MIB


class Crasher(Rounds):
    """The rounds of one run."""

    def run(self, rounds: int, full_every: int) -> int:
        """Returns the number of rounds done; stops at the first problem."""
        setup = self.server.client()
        setup.create_bucket(BUCKET)
        setup.close()
        for number in range(1, rounds + 1):
            self.crash_under_load(f"killed in round {number}", self.random.uniform(0.05, 0.4), self.server.kill)
            self.restart(START_SECONDS_MAX)
            self.verify(self.oracle.touched())
            if number % full_every == 0 or number == rounds:
                self.verify_all()
                print(f"round {number}/{rounds}: {self.oracle.acked} acked, {len(self.oracle.keys)} keys, "
                      f"slowest start {self.slowest_start:.2f} s, {self.problems.count} problems", flush=True)
            if self.problems.count:
                return number
        return rounds


def on_drives(server: Server) -> int:
    """Bytes that the drives' files take. A server that runs may remove some meanwhile."""
    total = 0
    for drive in server.drives:
        for path in drive.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.lstat().st_blocks * 512
    return total


def report(crasher: Crasher, done: int, failed_starts: int, seed: int) -> int:
    """Prints the figures; the exit code."""
    problems, oracle = crasher.problems, crasher.oracle
    for kind in ("lost", "torn", "refused"):
        for line in getattr(problems, kind)[:10]:
            print(f"{kind}: {line}")
    print(f"kill9: seed {seed}, {done} kills, {oracle.acked} acked writes, {oracle.unknown} in flight at a kill, "
          f"{crasher.verified} keys read back; acked lost {len(problems.lost)}, torn {len(problems.torn)}, "
          f"unexpected answers {len(problems.refused)}, failed starts {failed_starts}, "
          f"slowest start {crasher.slowest_start:.2f} s, {on_drives(crasher.server) // MIB} MiB on the drives")
    if on_drives(crasher.server) > MOST_ON_DRIVES + done * MOST_PER_KILL:
        print("kill9: what runs left half used was not taken back")
        return 1
    if oracle.acked < done:
        print("kill9: fewer acked writes than kills: the load did not reach the server")
        return 1
    return 1 if problems.count or failed_starts else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--full-every", type=int, default=20, help="rounds between checks of every key")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of a run, not its timing")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"kill9: seed {seed}")
    failed_starts = done = 0
    with tempfile.TemporaryDirectory(prefix="outcrop-oracle-") as oracle_dir:
        oracle = Oracle(Path(oracle_dir) / "oracle.log")
        port = free_ports(1)[0]
        with Server(options.outcropd, scratch=options.scratch, extra_config=nfs_config(port, BUCKET)) as server:
            crasher = Crasher(server, oracle, seed, options.clients, port)
            try:
                done = crasher.run(options.rounds, options.full_every)
            except ServerFailed as failure:
                print(failure)
                failed_starts += 1
            result = report(crasher, done, failed_starts, seed)
            if result:
                log = server.root / "oracle.log"
                log.write_text((Path(oracle_dir) / "oracle.log").read_text())
                server.keep = True
        oracle.close()
    return result


if __name__ == "__main__":
    sys.exit(main())
