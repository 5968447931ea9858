#!/usr/bin/env python3
"""The power of all drives goes at once, under load: no acked write may be lost, none torn, every start must succeed.

The drives and the state directory are file systems of their own (power.py). One cut in two finds the server stopped in
the same moment, as a machine that loses its power; the others find it running for some milliseconds more, as with
drives that go before the machine does. One start in five is cut off, too. With --remove it is always stopped, drives
are taken away before the start, and given back after everything was read.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "crash"), str(_HERE.parent / "support")]

from load import BUCKET
from nfsclient import nfs_config
from oracle import Oracle
from power import CacheDrives, Drives, ShutdownDrives, missing
from rounds import Rounds
from server import Server, ServerFailed, StartRefused, free_ports

DRIVES, PARITY = 6, 2
MEBIBYTES = 512
CLIENTS, KEYS = 4, 6
START_SECONDS_MAX = 10
PATIENCE = 60  # seconds that are waited for a start or a repair before the run ends


class Outage(Rounds):
    """The rounds of one run."""

    def __init__(self, server: Server, oracle: Oracle, seed: int, drives: Drives, remove: int, nfs_port: int) -> None:
        super().__init__(server, oracle, seed, CLIENTS, nfs_port, KEYS, small=True)
        self._drives = drives
        self._remove = remove
        self.cuts = self.starts = self.cut_starts = 0
        self.slow: list[str] = []

    def cut(self) -> None:
        """The power goes; then it is back."""
        frozen = self._remove > 0 or self.random.random() < 0.5  # one that left before is one more that is missing
        if isinstance(self._drives, CacheDrives) and self.random.random() < 0.5:
            self._drives.start_writing()
        if frozen:
            os.kill(self.server.pid, signal.SIGSTOP)
        self._drives.cut(self.random.getrandbits(63))
        self.server.kill()
        self._drives.unmount()
        self.cuts += 1

    def _begin(self) -> None:
        """A start; one that is not quick is printed."""
        seconds = self.server.start(PATIENCE)
        self.slowest_start = max(self.slowest_start, seconds)
        self.starts += 1
        if seconds > START_SECONDS_MAX:
            self.slow.append(f"start {self.starts} took {seconds:.2f} s at load {os.getloadavg()[0]:.1f}")

    def _start(self, gone: list[int]) -> None:
        """Mounts all but the drives that are gone, and starts; sometimes only at the second attempt."""
        self._drives.mount(gone)
        if self.random.random() < 0.2:
            self.server.launch()
            time.sleep(self.random.uniform(0.02, 1.0))
            self.server.check_starting()
            self.cut()
            self.cut_starts += 1
            self._drives.mount(gone)
        self._begin()

    def _give_back(self) -> None:
        self.server.stop()
        self._drives.mount()
        self._begin()
        self.server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)

    def _wait_for_room(self) -> None:
        """Runs of a second leave compaction no time, so the drives fill up; what is garbage must become room."""
        client, body = self.server.client(), bytes(200_000)
        deadline = time.monotonic() + PATIENCE
        while (response := client.put(BUCKET, "room/new-probe", body)).status == 507:
            if time.monotonic() > deadline:
                self.problems.refused.append(f"still full after {PATIENCE} s without load")
                break
            time.sleep(0.2)
        else:
            client.checked("room", response)
            client.delete(BUCKET, "room/new-probe")
        client.close()

    def run(self, rounds: int, until: float) -> int:
        """Returns the number of rounds done; stops at the first problem, or when it is `until` (monotonic)."""
        for number in range(1, rounds + 1):
            full = self.problems.full
            self.crash_under_load(f"cut {number}", self.random.uniform(0.1, 0.6), self.cut)
            gone = sorted(self.random.sample(range(DRIVES), self._remove))
            self._start(gone)
            self.verify_all()
            if not self.problems.count and gone:
                self._give_back()
                self.verify_all()
            if self.problems.full > full:
                self._wait_for_room()
            if number % 25 == 0 or number == rounds:
                print(f"round {number}/{rounds}: {self.oracle.acked} acked, {len(self.oracle.keys)} keys, "
                      f"slowest start {self.slowest_start:.2f} s, {self.problems.count} problems", flush=True)
            if self.problems.count or time.monotonic() > until:
                return number
        return rounds


def report(outage: Outage, done: int, failed_starts: int, what: str) -> int:
    """Prints the figures; the exit code."""
    problems, oracle = outage.problems, outage.oracle
    for kind in ("lost", "torn", "refused"):
        for line in getattr(problems, kind)[:10]:
            print(f"{kind}: {line}")
    for line in outage.slow[:10]:
        print(f"slow: {line}")
    print(f"powercut: {what}: {done} rounds, {outage.cuts} cuts, {outage.cut_starts} of them during a start, "
          f"{oracle.acked} acked writes, {oracle.unknown} in flight at a cut, {outage.verified} keys read back; "
          f"acked lost {len(problems.lost)}, torn {len(problems.torn)}, unexpected answers {len(problems.refused)}, "
          f"{problems.full} times full, "
          f"refused or failed starts {failed_starts}, slowest of {outage.starts} starts {outage.slowest_start:.2f} s "
          f"(at most {START_SECONDS_MAX})")
    if oracle.acked < done:
        print("powercut: fewer acked writes than cuts: the load did not reach the server")
        return 1
    return 1 if problems.count or failed_starts else 0  # a busy machine is slow


def found_out(options: argparse.Namespace, outage: Outage, refused: bool) -> int:
    """With faults on purpose, a run that loses nothing is a problem: acked writes, or a store that does not open.

    The first cut may come before the first write was acked; the store was made and its bucket acked even then.
    """
    problems = outage.problems
    found = outage.cuts > 0 and (problems.lost or problems.torn or refused)
    print(f"powercut: with {options.faults}: {'found, as it must be' if found else 'NOTHING FOUND'}")
    return 0 if found else 1


def run(options: argparse.Namespace, drives: Drives, seed: int, scratch: Path) -> int:
    """One run on drives that are mounted."""
    oracle = Oracle(scratch / "oracle.log")
    port = free_ports(1)[0]
    flags = ("--test-faults", options.faults) if options.faults else ()
    failed_starts = done = 0
    refused = False
    with Server(options.outcropd, directories=drives.directories, state=drives.state, scratch=options.scratch,
                segment_size="4MiB", extra_config=nfs_config(port, BUCKET), flags=flags) as server:
        client = server.client()
        client.create_bucket(BUCKET)
        client.close()
        outage = Outage(server, oracle, seed, drives, options.remove, port)
        try:
            done = outage.run(options.rounds, time.monotonic() + options.minutes * 60)
        except ServerFailed as failure:
            print(failure)
            failed_starts += 1
            refused = isinstance(failure, StartRefused)
        what = f"seed {seed}, {options.fs}, {options.device}, {options.remove} removed"
        result = report(outage, done, failed_starts, what)
        if isinstance(drives, CacheDrives):
            print(f"powercut: the devices lost {drives.dropped} of {drives.dropped + drives.kept} sectors of "
                  f"{drives.writes} writes that were not flushed")
        if result and not options.faults:
            oracle.close()
            (server.root / "oracle.log").write_text((scratch / "oracle.log").read_text())
            server.keep = True
    oracle.close()
    return found_out(options, outage, refused) if options.faults else result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--fs", choices=["ext4", "xfs"], default="ext4")
    parser.add_argument("--device", choices=["shutdown", "cache"], default="shutdown",
                        help="how the power goes: the file systems are shut down, or the devices lose their caches")
    parser.add_argument("--volatile-device", type=Path, help="the binary behind --device cache")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=1e6, help="ends the run early")
    parser.add_argument("--remove", type=int, default=0, choices=range(PARITY + 1), help="drives away at each start")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of a run, not its timing")
    parser.add_argument("--faults", help="starts the server with --test-faults: something must be found then")
    parser.add_argument("--scratch", type=Path, help="where the images go (default: the system's temp directory)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("powercut: told to stop"))  # what is mounted goes all the same
    if options.device == "cache" and not options.volatile_device:
        parser.error("--device cache needs --volatile-device")
    if reason := missing(options.fs, options.device == "cache"):
        print(f"powercut: SKIPPED, {reason}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"powercut: seed {seed}, {options.fs}, {options.device}", flush=True)
    if options.device == "cache":
        drives: Drives = CacheDrives(options.volatile_device, DRIVES, MEBIBYTES, options.fs, options.scratch)
    else:
        drives = ShutdownDrives(DRIVES, MEBIBYTES, options.fs, options.scratch)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outcrop-oracle-")))
        return run(options, stack.enter_context(drives), seed, scratch)


if __name__ == "__main__":
    sys.exit(main())
