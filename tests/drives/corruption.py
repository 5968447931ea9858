#!/usr/bin/env python3
"""Random corruption on at most two of six drives: every GET gives the right bytes or an error, never wrong bytes."""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from damage import Damager, Snapshot
from population import Population
from server import Server, ServerFailed

DRIVES = 6
PARITY = 2
PER_ROUND = 25


class Corruption:
    """One population; each round damages, looks, and puts everything back."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.population = Population(seed)
        self.done: Counter[str] = Counter()
        self.areas: Counter[str] = Counter()
        self.right = self.errors = self.detected = 0
        self.wrong: list[str] = []
        self.refused: list[str] = []
        self._random = random.Random(seed)
        self._damager = Damager(seed + 1)

    def fill(self) -> None:
        """Objects, then a clean stop: what the snapshot holds."""
        client = self.server.client()
        self.population.fill(client)
        client.close()

    def _damage(self, count: int) -> None:
        drives = self._random.sample(self.server.drives, self._random.randint(1, PARITY))
        for _ in range(count):
            damage = self._damager.hit(self._random.choice(drives))
            if damage is not None:
                self.done[damage.kind] += 1
                self.areas[damage.area] += 1

    def _look(self, where: str) -> None:
        client = self.server.client(15)
        verdict = self.population.look(client)
        self.right += verdict.right
        self.errors += len(verdict.errors)
        self.wrong += [f"{where}: {line}" for line in verdict.wrong]
        try:
            self.wrong += [f"{where}: {line}" for line in self.population.check_listing(client)]
        except Exception as error:  # an error answer is allowed, a wrong listing is not
            self.errors += 1
            print(f"{where}: listing: {error}")
        client.close()
        self.detected += self._detections()

    def _detections(self) -> int:
        pattern = r"^outcrop_\w*(?:corrupt|reconstructed)\w*(?:\{[^}]*\})? ([\d.e+]+)$"
        return int(sum(float(value) for value in re.findall(pattern, self.server.metrics(), re.MULTILINE)))

    def _start(self, where: str) -> bool:
        try:
            self.server.start()
            return True
        except ServerFailed as failure:
            self.refused.append(f"{where}: {failure}")
            self.server.kill()
            return False

    def round(self, number: int, count: int) -> None:
        """Even rounds damage the stopped store, odd ones the running one (and look again after a kill)."""
        where = f"round {number}"
        if number % 2 == 0:
            self._damage(count)
            if self._start(where):
                self._look(where + ", damaged while stopped")
        elif self._start(where):
            self._damage(count)
            self._look(where + ", damaged while running")
            self.server.kill()
            if self._start(where + ", after a kill"):
                self._look(where + ", damaged while running, restarted")
        self.server.kill()


def report(corruption: Corruption, seed: int) -> int:
    """Prints the figures; the exit code."""
    for line in [*corruption.wrong[:20], *corruption.refused[:5]]:
        print(line)
    total = sum(corruption.done.values())
    print(f"corruption: seed {seed}, {total} corruptions {dict(corruption.done)} in {dict(corruption.areas)}")
    print(f"corruption: {corruption.right} right reads, {corruption.errors} errors, {len(corruption.wrong)} wrong, "
          f"{corruption.detected} detections in the metrics, {len(corruption.refused)} refused starts")
    if corruption.detected == 0:
        print("corruption: nothing was detected, so nothing was tested")
        return 1
    return 1 if corruption.wrong or corruption.refused else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--count", type=int, default=10_000, help="corruptions in all")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"corruption: seed {seed}")
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch) as server:
        corruption = Corruption(server, seed)
        corruption.fill()
        server.stop()
        # With state_dir: it knows the newest epoch, and drives put back alone look as if they had been away.
        snapshot = Snapshot([*server.drives, server.state], server.root / "pristine")
        number = 0
        while sum(corruption.done.values()) < options.count and not corruption.wrong:
            left = options.count - sum(corruption.done.values())
            corruption.round(number, min(PER_ROUND, left))
            snapshot.restore()
            number += 1
            if len(corruption.refused) > 3:
                break
        result = report(corruption, seed)
    return result


if __name__ == "__main__":
    sys.exit(main())
