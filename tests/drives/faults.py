#!/usr/bin/env python3
"""outcropd --test-faults on real directories: a drive that fails in the data path or under RocksDB leaves, nothing is lost."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from population import Population
from server import AdminRefused, Server, ServerFailed, moved_away

DRIVES = 5
WAIT_SECONDS = 60
ROUNDS = 40

# What fails, and whether the drive must leave for it.
PLANS = [
    ("a write of the journal", "where=journal,step=write,nth=5", True),
    ("a write of a shard", "where=segment,step=write,nth=9", True),
    ("a sync of a shard", "where=segment,step=sync,nth=2", True),
    ("a write of a RocksDB table", "where=table,step=write,nth=1", True),
    ("a sync of RocksDB's manifest", "where=manifest,step=sync,nth=2", True),
    ("flipped bits in one of four shard reads", "where=segment,step=read,kind=flip,times=always,probability=0.25", False),
    ("lost writes of shards", "where=segment,step=write,kind=lost,times=always,probability=0.2", False),
    ("slow transfers", "step=write,kind=delay,delay_ms=5,times=always", False),
]


class Faults:
    """One server, started with one plan after the other."""

    def __init__(self, server: Server, io: str) -> None:
        self.server = server
        self._io = io
        self._victim = 1
        self.population = Population(3)
        self.problems: list[str] = []

    def expect(self, right: bool, what: str) -> None:
        """A line for each thing that must be so."""
        print(f"{'PASS' if right else 'FAIL'}  {self._io}: {what}", flush=True)
        if not right:
            self.problems.append(what)

    def _state(self) -> str:
        drives = self.server.admin("GET", "/v1/drives")["drives"]
        return str(next(d["state"] for d in drives if d["path"] == str(self.server.drives[self._victim])))

    def _struck(self, must_leave: bool, name: str) -> bool:
        """Writes until the drive has left, or for as long as it takes to know that it does not."""
        client = self.server.client(60)
        state = "live"
        for number in range(ROUNDS if must_leave else 3):
            self.population.churn(client, f"{name}-{number}")
            state = self._state()
            if must_leave and state != "live":
                break
        client.close()
        return (state != "live") == must_leave

    def _look(self, where: str) -> None:
        client = self.server.client(60)
        problems = [*self.population.look(client).problems(), *self.population.check_listing(client)]
        self.expect(not problems, f"{where}: all that was acknowledged is there {problems[:3] or ''}")
        client.close()

    def run(self, name: str, plan: str, must_leave: bool) -> None:
        """Start with the plan, write, look; kill, look again without the drive and with it."""
        server = self.server
        server.launch("--test-faults", f"drive={self._victim},{plan}")
        server.wait_ready()
        self.expect(self._struck(must_leave, name.replace(" ", "-")), f"{name}: the drive {'left' if must_leave else 'stays'}")
        self._look(name)
        server.kill()
        with moved_away([server.drives[self._victim]]):
            server.start()
            self._look(f"{name}, without the drive")
            server.kill()
        server.start()
        server.wait_redundant(DRIVES, 3, WAIT_SECONDS)
        self._look(f"{name}, healed")
        self._victim = self._mirrored()
        server.stop()

    def _mirrored(self) -> int:
        """A drive with a mirror of the metadata, which RocksDB writes to: one that left has none until it is needed again."""
        drives = self.server.admin("GET", "/v1/drives")["drives"]
        path = next(d["path"] for d in drives if d["mirror"])
        return [str(drive) for drive in self.server.drives].index(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--quick", action="store_true", help="some of the faults, with one back end each")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    problems = count = 0
    began = time.monotonic()
    plans = {"auto": PLANS, "threads": PLANS}
    if options.quick:
        plans = {"auto": PLANS[3:6:2], "threads": PLANS[1:2]}
    for io, chosen in plans.items():
        with Server(options.outcropd, drives=DRIVES, scratch=options.scratch, extra_config=f'io = "{io}"') as server:
            faults = Faults(server, io)
            try:
                client = server.client()
                faults.population.fill(client)
                client.close()
                server.stop()
                for name, plan, must_leave in chosen:
                    count += 1
                    faults.run(name, plan, must_leave)
            except (ServerFailed, AdminRefused) as failure:
                faults.problems.append(str(failure))
                print(failure)
            server.keep = bool(faults.problems)
            problems += len(faults.problems)
    print(f"faults: {count} plans, {problems} problems, {time.monotonic() - began:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
