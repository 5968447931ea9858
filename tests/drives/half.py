#!/usr/bin/env python3
"""One of two drives does not come back from a power cut: read-only at once, whole again with a new drive."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from population import BUCKET, Population
from server import AdminRefused, Server, ServerFailed

WAIT_SECONDS = 60


class Half:
    """A box of two drives."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.population = Population(1)
        self.problems: list[str] = []

    def expect(self, right: bool, what: str) -> None:
        """A line for each thing that must be so."""
        print(f"{'PASS' if right else 'FAIL'}  {what}", flush=True)
        if not right:
            self.problems.append(what)

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Until it is so; the server may be starting."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except (OSError, AdminRefused):
                pass
            time.sleep(0.1)
        raise ServerFailed(f"{what}: not after {WAIT_SECONDS} s\n{self.server.log_tail()}")

    def reads(self, where: str) -> None:
        """All objects are there."""
        client = self.server.client()
        self.expect(not self.population.look(client).problems(), f"{where}: everything can be read")
        self.expect(not self.population.check_listing(client), f"{where}: the listing is right")
        client.close()

    def opened(self) -> bool:
        """True once the store answers."""
        return "drives" in self.server.admin("GET", "/v1/drives")

    def whole(self) -> bool:
        """Two drives, nothing degraded, two mirrors."""
        status = self.server.admin("GET", "/v1/drives")
        return (status["repair"]["degraded"] == 0 and len(status["drives"]) == 2
                and all(d["mirror"] for d in status["drives"]))

    def run(self) -> None:
        """Fill, cut, lose, read, replace, and lose the old one, too."""
        server = self.server
        client = server.client()
        self.population.fill(client)
        client.close()
        server.kill()
        server.drives[0].rename(server.root / "dead")
        server.launch()
        self.wait("a start with half of the drives", self.opened)
        self.reads("one of two drives")
        client = server.client()
        self.expect(client.put(BUCKET, "refused", b"x").status == 503, "a write is refused")
        self.expect(server.health() == 503, "health says that it is not ready")
        new = server.root / "new"
        new.mkdir(mode=0o700)
        server.admin("POST", "/v1/drives", {"path": str(new), "replaces": 0})
        self.population.put(client, "after", 70_000)
        client.close()
        self.expect(server.health() == 200, "with a new drive it is ready")
        self.wait("the rebuild", self.whole)
        self.reads("rebuilt")
        server.kill()
        server.drives[1].rename(server.root / "dead too")
        server.launch()
        self.wait("a start with the new drive alone", self.opened)
        self.reads("the new drive alone")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    with Server(options.outcropd, drives=2, scratch=options.scratch) as server:
        half = Half(server)
        try:
            half.run()
        except (ServerFailed, AdminRefused) as failure:
            half.problems.append(str(failure))
            print(failure)
        server.keep = bool(half.problems)
    print(f"half: {len(half.problems)} problems")
    return 1 if half.problems else 0


if __name__ == "__main__":
    sys.exit(main())
