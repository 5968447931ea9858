#!/usr/bin/env python3
"""kill -9 under load, again and again: no acked write may be lost, no object torn, every start must succeed."""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support")]

from load import BUCKET, LoadThread, Problems
from oracle import Oracle
from s3client import S3Client
from server import Server, ServerFailed
from values import Torn, ValueId, parse

START_SECONDS_MAX = 30
MIB = 1 << 20
# Each run leaves open segments behind: the next one must take back what was not used of them.
MOST_ON_DRIVES = 2048 * MIB
MOST_PER_KILL = 64 * MIB


class Crasher:
    """The rounds of one run."""

    def __init__(self, server: Server, oracle: Oracle, seed: int, clients: int) -> None:
        self.server = server
        self.oracle = oracle
        self.clients = clients
        self.problems = Problems()
        self.verified = 0
        self.slowest_start = 0.0
        self._random = random.Random(seed)
        self._next_seq = [0] * clients

    def kill_under_load(self, number: int) -> None:
        """Load from several threads for 50 to 400 ms, then kill -9."""
        stop = threading.Event()
        threads = [
            LoadThread(n, self._random.getrandbits(64), self._next_seq[n], self.server.client(10), self.oracle,
                       self.problems, stop)
            for n in range(self.clients)]
        pause = self._random.uniform(0.05, 0.4)
        for thread in threads:
            thread.start()
        time.sleep(pause)
        if not self.server.running:
            raise ServerFailed(f"the server died by itself:\n{self.server.log_tail()}")
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join(30)
            if thread.is_alive():
                raise ServerFailed(f"{thread.name} hangs although the server is gone")
            self._next_seq[thread.number] = thread.seq
        self.oracle.round_done(f"round {number} after {pause:.3f} s")

    def restart(self) -> None:
        """Starts again; too slow or not at all ends the run."""
        self.slowest_start = max(self.slowest_start, self.server.start(START_SECONDS_MAX))

    def _value_of(self, client: S3Client, key: str) -> tuple[ValueId | None, str, bytes]:
        response = client.get(BUCKET, key)
        if response.status == 404 and response.code == "NoSuchKey":
            return None, "", b""
        if not response.ok:
            raise Torn(f"GET gives {response.status} {response.code}")
        return parse(response.body)[1], response.etag, response.body

    def _verify_key(self, client: S3Client, key: str) -> None:
        state = self.oracle.keys[key]
        allowed = state.allowed()
        try:
            value, etag, body = self._value_of(client, key)
        except Torn as torn:
            self.problems.torn.append(f"{key}: {torn}")
            return
        matching = [op for op in allowed if op.value == value]
        if not matching:
            wanted = [f"{op.value} ({'acked' if op.acked_at is not None else 'in flight'})" for op in allowed]
            self.problems.lost.append(f"{key}: found {value}, allowed {wanted}")
        elif value is not None and "-" not in etag and etag != hashlib.md5(body).hexdigest():
            self.problems.torn.append(f"{key}: ETag {etag} is not of these bytes")
        self.oracle.settle(key, value)

    def verify(self, keys: Iterable[str]) -> None:
        """Reads every key back and holds it against the oracle."""
        client = self.server.client()
        for key in keys:
            self._verify_key(client, key)
            self.verified += 1
        client.close()

    def verify_all(self) -> None:
        """Every key ever written, and the listing: exactly the keys that exist."""
        self.verify(sorted(self.oracle.keys))
        client = self.server.client()
        listed = [key for key, _ in client.list_keys(BUCKET, page=100)]
        client.close()
        present = self.oracle.present()
        self.problems.lost += [f"{key}: exists but is not listed" for key in sorted(present - set(listed))]
        self.problems.torn += [f"{key}: listed but does not exist" for key in sorted(set(listed) - present)]
        if listed != sorted(set(listed)):
            self.problems.torn.append("the listing is not sorted or has a key twice")

    def run(self, rounds: int, full_every: int) -> int:
        """Returns the number of rounds done; stops at the first problem."""
        setup = self.server.client()
        setup.create_bucket(BUCKET)
        setup.close()
        for number in range(1, rounds + 1):
            self.kill_under_load(number)
            self.restart()
            self.verify(self.oracle.touched())
            if number % full_every == 0 or number == rounds:
                self.verify_all()
                print(f"round {number}/{rounds}: {self.oracle.acked} acked, {len(self.oracle.keys)} keys, "
                      f"slowest start {self.slowest_start:.2f} s, {self.problems.count} problems", flush=True)
            if self.problems.count:
                return number
        return rounds


def on_drives(server: Server) -> int:
    """Bytes that the drives' files take."""
    return sum(path.lstat().st_blocks * 512 for drive in server.drives for path in drive.rglob("*"))


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
        with Server(options.outcropd, scratch=options.scratch) as server:
            crasher = Crasher(server, oracle, seed, options.clients)
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
