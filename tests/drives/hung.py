#!/usr/bin/env python3
"""Drives that stop answering: frozen file systems under a server that reads and writes all the time.

Whatever hangs: no request fails, no byte is wrong, requests go on while the drives are frozen, and what was acknowledged
is there afterwards. Latencies are printed, not judged.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from loop_drives import available, loop_drives
from population import BUCKET, Population
from server import Server

DRIVES, PARITY = 6, 2
MEBIBYTES = 1024
CLIENTS = 24
PATIENCE = 120  # seconds for what must happen by itself
FIRST_SECONDS = 2  # after a drive has left: all who waited go on at once, mirrors move, repair begins
SIZES = [200, 9_000, 60_000, 400_000]


def freeze(drive: Path, on: bool) -> None:
    """Nothing is written to the drive's file system any more, and who tries waits."""
    subprocess.run(["fsfreeze", "-f" if on else "-u", str(drive.parent)], check=on, capture_output=True)


class Client(threading.Thread):
    """Puts and reads objects of its own until told to stop; every answer is checked."""

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.server, self.number, self.random = server, number, random.Random(seed)
        self.stopping = threading.Event()
        self.acked: dict[str, str] = {}
        self.problems: list[str] = []
        self.took: list[tuple[float, float, str]] = []  # when it ended, seconds, what

    def run(self) -> None:
        try:
            self._work()
        except (OSError, http.client.HTTPException) as error:
            self.problems.append(f"no answer: {error!r}")

    def _work(self) -> None:
        client = self.server.client(PATIENCE)
        serial = 0
        while not self.stopping.is_set() and len(self.problems) < 5:
            if self.acked and self.random.random() < 0.6:
                key = self.random.choice(sorted(self.acked))
                began = time.monotonic()
                response = client.get(BUCKET, key)
                if response.status != 200 or hashlib.sha256(response.body).hexdigest() != self.acked[key]:
                    self.problems.append(f"GET {key}: {response.status}, {len(response.body)} bytes")
                self._note(began, "GET")
                continue
            key, body = f"hung/{self.number}/{serial}", self.random.randbytes(self.random.choice(SIZES))
            serial += 1
            began = time.monotonic()
            response = client.put(BUCKET, key, body)
            self._note(began, "PUT")
            if response.status == 200:
                self.acked[key] = hashlib.sha256(body).hexdigest()
            else:
                self.problems.append(f"PUT {key}: {response.status} {response.body[:200]!r}")
        client.close()

    def _note(self, began: float, what: str) -> None:
        now = time.monotonic()
        self.took.append((now, now - began, what))


def live(server: Server) -> int:
    """Drives that take part."""
    return sum(line.endswith(" 1") for line in server.metrics().splitlines() if line.startswith("outcrop_drive_live{"))


def wait_until_live(server: Server, drives: int) -> float:
    """Seconds until exactly so many drives are left."""
    began = time.monotonic()
    while live(server) != drives:
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"{live(server)} drives are live after {PATIENCE} s, {drives} expected")
        time.sleep(0.1)
    return time.monotonic() - began


def wait_for_more(clients: list[Client], number: int) -> None:
    """Each client has so many more answers, both kinds in all."""
    before = [len(client.took) for client in clients]
    began = time.monotonic()
    while any(len(c.took) < b + number and not c.problems for c, b in zip(clients, before, strict=True)):
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError("requests do not go on while drives are frozen")
        time.sleep(0.05)


def figures(took: list[tuple[float, float, str]], since: float, until: float) -> str:
    """p50, p99 and the slowest of the requests that began in between."""
    some = sorted(seconds for at, seconds, _ in took if since <= at - seconds < until)
    if not some:
        return "none"
    return (f"{len(some)} requests, p50 {some[len(some) // 2] * 1000:.1f} ms, "
            f"p99 {some[len(some) * 99 // 100] * 1000:.1f} ms, slowest {some[-1]:.2f} s")


def look(server: Server, clients: list[Client]) -> list[str]:
    """Everything that was answered is there; removes it."""
    problems = []
    reader = server.client()
    for client in clients:
        for key, digest in client.acked.items():
            response = reader.get(BUCKET, key)
            if response.status != 200 or hashlib.sha256(response.body).hexdigest() != digest:
                problems.append(f"looked at again, GET {key}: {response.status}, {len(response.body)} bytes")
        for key in client.acked:
            reader.delete(BUCKET, key)
    reader.close()
    return problems


def too_many(server: Server, directories: list[Path], seed: int) -> list[str]:
    """More drives stand still than may be missing, one after the other and not for long: nobody is taken out."""
    clients = [Client(server, n, seed + n) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    wait_for_more(clients, 5)
    frozen = directories[:PARITY + 2]
    try:
        for victim in frozen:
            freeze(victim, True)
            time.sleep(0.5)
        time.sleep(8)
    finally:
        for victim in frozen:
            freeze(victim, False)
    wait_for_more(clients, 10)
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(PATIENCE)
    problems = [p for client in clients for p in client.problems]
    problems += look(server, clients)
    if (left := live(server)) != len(directories):
        problems.append(f"{len(frozen)} drives stood still for a while, and {left} of {len(directories)} are left")
    print(f"hung: {len(frozen)} frozen for a while: {left} live", flush=True)
    return problems


def one_round(server: Server, directories: list[Path], victims: list[Path], seed: int, kill: bool,
              linger: float) -> list[str]:
    """Load, freeze, wait until they have left, go on, thaw, wait until they are back or kill and start, look."""
    clients = [Client(server, n, seed + n) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    took = lambda: [t for client in clients for t in client.took]  # noqa: E731
    wait_for_more(clients, 20)
    began = time.monotonic()
    try:
        for victim in victims:
            freeze(victim, True)
        left = wait_until_live(server, len(directories) - len(victims))
        out = time.monotonic()
        wait_for_more(clients, 20)
        time.sleep(max(0.0, out + linger - time.monotonic()))
        end = time.monotonic()
    finally:
        for victim in victims:
            freeze(victim, False)
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(PATIENCE)
    waited = max((at - out for at, seconds, _ in took() if began <= at - seconds < out), default=0)
    alone = [t for t in took() if t[0] < began]  # what began then and ended later waited for what is frozen
    print(f"hung: {len(victims)} frozen; before: {figures(alone, 0, began)}; out after {left:.1f} s: "
          f"{figures(took(), began, out)}, the last answered {max(waited, 0):.2f} s after that; then: "
          f"{figures(took(), out, min(out + FIRST_SECONDS, end))}; after {FIRST_SECONDS} s: "
          f"{figures(took(), out + FIRST_SECONDS, end)}; both: {figures(took(), out, end)}", flush=True)
    if kill:
        server.kill()
        server.start()
    server.wait_redundant(len(directories), PARITY + 1, PATIENCE)
    problems = [p for client in clients for p in client.problems]
    return problems + look(server, clients)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--io", choices=["uring", "threads"], default="uring")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--linger", type=float, default=0, help="seconds of load after the drives have left, at least")
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    if reason := available():
        print(f"hung: SKIPPED, {reason}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"hung: seed {seed}, {options.io}", flush=True)
    rng = random.Random(seed)
    problems: list[str] = []
    with loop_drives([MEBIBYTES] * DRIVES, options.scratch) as directories, \
            Server(options.outcropd, directories=directories, scratch=options.scratch,
                   extra_config=f'io = "{options.io}"') as server:
        population = Population(seed)
        client = server.client()
        population.fill(client)
        client.close()
        problems += too_many(server, directories, seed)
        for number in range(options.rounds):
            if problems:
                break
            victims = rng.sample(directories, 1 + number % PARITY)
            problems += one_round(server, directories, victims, rng.getrandbits(32), number % 2 == 1,
                                  options.linger)
            client = server.client()
            problems += population.look(client).problems() + population.check_listing(client)
            client.close()
        server.keep = bool(problems)
    for problem in problems[:20]:
        print(f"  {problem}")
    print(f"hung: {options.rounds} rounds, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
