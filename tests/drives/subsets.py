#!/usr/bin/env python3
"""Every subset of at most two of six drives taken away, while running and at boot: all is readable and writable."""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from population import Population
from server import Server, moved_away

DRIVES = 6
PARITY = 2


class Subsets:
    """One server, one population, many removals."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.population = Population(seed)
        self.failures: list[str] = []
        self._random = random.Random(seed)

    def _note(self, where: str, problems: Sequence[str]) -> None:
        self.failures += [f"{where}: {problem}" for problem in problems[:5]]

    def fill(self) -> None:
        """The objects that every case reads."""
        client = self.server.client()
        self.population.fill(client)
        client.close()
        self._all_right("before any removal", churn=None)

    def _all_right(self, where: str, churn: str | None) -> None:
        client = self.server.client()
        self._note(where, self.population.look(client).problems())
        self._note(where, self.population.check_listing(client))
        if churn is not None:
            self.population.churn(client, churn)
            self._note(where + ", after new writes", self.population.look(client).problems())
            self._note(where + ", after new writes", self.population.check_listing(client))
        client.close()

    def at_run_time(self, subset: Sequence[int]) -> None:
        """The drives go away under the running server and come back before its next start."""
        where = f"drives {list(subset)} away while running"
        with moved_away([self.server.drives[i] for i in subset]):
            self._all_right(where, churn="run-" + "-".join(map(str, subset)))
            self.server.stop()
        self._come_back(where)

    def at_boot(self, subset: Sequence[int]) -> None:
        """The drives are missing when the server starts, and back at the start after that."""
        where = f"drives {list(subset)} away at boot"
        self.server.stop()
        with moved_away([self.server.drives[i] for i in subset]):
            self.server.start()
            self._all_right(where, churn="boot-" + "-".join(map(str, subset)))
            self.server.stop()
        self._come_back(where)

    def _come_back(self, where: str) -> None:
        self.server.start()
        self.server.wait_redundant(DRIVES, PARITY + 1)
        self._all_right(where + ", then back", churn=None)

    def too_many(self, subset: Sequence[int]) -> None:
        """With more drives away than parity: no start, or errors, but never wrong bytes."""
        where = f"drives {list(subset)} away at boot"
        self.server.stop()
        with moved_away([self.server.drives[i] for i in subset]):
            self.server.launch()
            deadline = time.monotonic() + 15
            while self.server.running and self.server.health() != 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            if self.server.running:
                client = self.server.client(10)
                self._note(where, self.population.look(client).wrong)
                client.close()
                self.server.kill()
            elif not any(word in self.server.log_tail(10).lower() for word in ("drive", "missing")):
                self.failures.append(f"{where}: refused without saying why: {self.server.log_tail(3)}")
        self._come_back(where)

    def run_case(self, kind: str, subset: Sequence[int]) -> None:
        """One case with its line."""
        began, before = time.monotonic(), len(self.failures)
        try:
            getattr(self, kind)(subset)
        except Exception as error:
            self.failures.append(f"{kind} {list(subset)}: {type(error).__name__}: {error}")
            raise
        finally:
            verdict = "PASS" if len(self.failures) == before else "FAIL"
            print(f"{verdict}  {kind:12s} {str(list(subset)):10s} {time.monotonic() - began:6.1f} s", flush=True)


def cases() -> list[tuple[str, tuple[int, ...]]]:
    """All of them; the pairs and single drives twice, the triples as a sample."""
    small = [s for size in (1, 2) for s in itertools.combinations(range(DRIVES), size)]
    triples = [(0, 1, 2), (3, 4, 5), (0, 2, 4)]
    return ([("at_run_time", s) for s in small] + [("at_boot", s) for s in small]
            + [("too_many", s) for s in triples])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--only", choices=["at_run_time", "at_boot", "too_many"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    done = 0
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch) as server:
        subsets = Subsets(server, options.seed)
        try:
            subsets.fill()
            for kind, subset in cases():
                if options.only in (None, kind):
                    subsets.run_case(kind, subset)
                    done += 1
        except Exception as error:  # the state is unknown now: report what is known and stop
            print(f"stopped: {type(error).__name__}: {error}")
            subsets.failures.append(str(error))
        server.keep = bool(subsets.failures)
    for failure in subsets.failures[:20]:
        print(failure)
    print(f"drives: {done} cases, {len(subsets.population.expected)} objects, {len(subsets.failures)} problems")
    return 1 if subsets.failures else 0


if __name__ == "__main__":
    sys.exit(main())
