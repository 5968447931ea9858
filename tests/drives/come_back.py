#!/usr/bin/env python3
"""Drives that are pulled from a running server and plugged in again: taken back, made whole, and of use at once.

Too many that go one after the other: the server ends by itself once they are there again, to be started anew.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from population import BUCKET, Population
from server import Server, ServerFailed, moved_away

DRIVES, PARITY = 6, 2
PATIENCE = 90  # seconds for what must happen by itself
MISSED = "drives left before the others had all metadata"
START_ANEW = 3  # the exit code of a server that wants to be started again


class ComeBack:
    """One server, one population."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.population = Population(seed)
        self.problems: list[str] = []
        self.serial = itertools.count()

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """Until it is so; how long that took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                raise ServerFailed(f"{what}: not after {seconds} s\n{self.server.log_tail()}")
            time.sleep(0.1)
        return time.monotonic() - began

    def drive(self, slot: int) -> dict[str, object]:
        """What status says of it."""
        drives = self.server.admin("GET", "/v1/drives")["drives"]
        return next(d for d in drives if d["slot"] == slot)

    def is_out(self, slot: int) -> bool:
        """True if the drive is missing."""
        return self.drive(slot)["state"] == "missing"

    def look(self, where: str) -> None:
        """All bytes, and the listing."""
        client = self.server.client()
        problems = [*self.population.look(client).problems(), *self.population.check_listing(client)]
        self.problems += [f"{where}: {p}" for p in problems[:5]]
        client.close()

    def churn(self, times: int = 1) -> None:
        """New objects, overwrites and deletes."""
        client = self.server.client()
        for _ in range(times):
            self.population.churn(client, f"{next(self.serial)}")
        client.close()

    def pull_and_plug(self, slots: list[int]) -> None:
        """They miss writes, come back into the running server, and then any two others may go."""
        server = self.server
        with moved_away([server.drives[s] for s in slots]):
            self.churn(3)
            for slot in slots:
                self.wait(f"drive {slot} is out", lambda s=slot: self.is_out(s))
            self.churn(3)
            self.look(f"{slots} away")
        plugged = time.monotonic()
        for slot in slots:
            self.wait(f"drive {slot} is taken back", lambda s=slot: not self.is_out(s))
        back = time.monotonic() - plugged
        self.churn(2)
        server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)
        whole = time.monotonic() - plugged
        self.look(f"{slots} back")
        others = self.random.sample([s for s in range(DRIVES) if s not in slots], PARITY)
        server.kill()
        with moved_away([server.drives[s] for s in others]):
            server.start()
            self.look(f"{slots} back, {others} away at a start after a kill")
            server.kill()
        server.start()
        server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)
        print(f"come back: {slots} pulled and plugged in: live after {back:.1f} s, whole after {whole:.1f} s", flush=True)

    def mount_missing(self, slot: int) -> None:
        """An empty directory at the path of a drive is not the drive, and stays empty."""
        place = self.server.drives[slot]
        away = place.with_name(place.name + ".pulled")
        place.rename(away)
        self.churn()
        self.wait(f"drive {slot} is out", lambda: self.is_out(slot))
        place.mkdir(mode=0o700)
        time.sleep(8)  # it would have been taken by now
        if not self.is_out(slot):
            self.problems.append(f"an empty directory was taken for drive {slot}")
        left = sorted(p.name for p in place.iterdir())
        if left:
            self.problems.append(f"the server left {left} in an empty directory")
        place.rmdir()
        away.rename(place)
        self.wait(f"drive {slot} is taken back", lambda: not self.is_out(slot))
        self.server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)
        self.look("after an empty directory")
        print("come back: an empty directory was left alone", flush=True)

    def one_by_one(self, pairs: list[tuple[Path, Path]], slots: list[int]) -> None:
        """It saw them go one after the other, and had all metadata elsewhere in between: it goes on with the rest."""
        for here, away in pairs:
            away.rename(here)
        for slot in slots:
            self.wait(f"drive {slot} is taken back", lambda s=slot: not self.is_out(s))
        self.server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)
        self.look(f"{slots} went one by one and are back")
        print(f"come back: {slots} away one by one: it went on with the rest, and took them back", flush=True)

    def too_many(self, slots: list[int]) -> None:
        """Reads go on, writes do not; the server ends when they are there again, and starts with everything."""
        server = self.server
        pairs = [(server.drives[s], server.drives[s].with_name(server.drives[s].name + ".pulled")) for s in slots]
        said = server.log_text().count(MISSED)
        for here, away in pairs:
            here.rename(away)
        self.wait("they are out", lambda: server.health() == 503 or all(self.is_out(s) for s in slots))
        time.sleep(2)
        if server.health() != 503:
            if server.log_text().count(MISSED) > said:
                self.problems.append(f"{slots} left before the others had all metadata, and it goes on writing")
            self.one_by_one(pairs, slots)
            return
        client = server.client()
        status = client.put(BUCKET, "refused", b"x" * 9_000).status
        if status != 503:
            self.problems.append(f"a write with {len(slots)} drives away: {status}")
        client.close()
        time.sleep(5)
        if not server.running:
            self.problems.append("the server ended while the drives were away")
        for here, away in pairs[1:]:
            away.rename(here)  # one stays away: enough for writes
        process = server._process
        took = self.wait("the end of the server", lambda: not server.running)
        if process is None or process.returncode != START_ANEW:
            self.problems.append(f"it ended with {process and process.returncode}")
        server.start()
        if server.health() != 200:
            self.problems.append("no writes after the new start")
        self.churn(2)
        self.look("after the new start")
        pairs[0][1].rename(pairs[0][0])
        server.wait_redundant(DRIVES, PARITY + 1, PATIENCE)
        self.look("with the last of them")
        print(f"come back: {slots} away together: it ended by itself {took:.1f} s after the others were back", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--rounds", type=int, default=2, help="drives that are pulled and plugged in")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"come back: seed {seed}", flush=True)
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch) as server:
        test = ComeBack(server, seed)
        try:
            client = server.client()
            test.population.fill(client)
            client.close()
            for number in range(options.rounds):
                test.pull_and_plug(test.random.sample(range(DRIVES), 1 + number % PARITY))
            test.mount_missing(test.random.randrange(DRIVES))
            test.too_many(test.random.sample(range(DRIVES), PARITY + 1))
        except ServerFailed as failure:
            test.problems.append(str(failure))
        server.keep = bool(test.problems)
    for problem in test.problems[:20]:
        print(f"  {problem}")
    print(f"come back: {len(test.population.expected)} objects, {len(test.problems)} problems")
    return 1 if test.problems else 0


if __name__ == "__main__":
    sys.exit(main())
