#!/usr/bin/env python3
"""A drive dies and is replaced, or not; the server is killed at random points of the rebuild: after it any m may go."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import math
import random
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from population import BUCKET, MIB, Population
from server import AdminRefused, Server, ServerFailed, moved_away

DRIVES = 6
PARITY = 2
HEAL_SECONDS_MAX = 240


class Census:
    """One server and its drives; each round loses one, and gets a new one."""

    def __init__(self, server: Server, seed: int, bulk: int, tool: Path | None) -> None:
        self.server = server
        self._tool = tool
        self._bulk = bulk
        self.population = Population(seed)
        self.problems: list[str] = []
        self.kills_while_spreading, self.spread_over = 0, 0.0
        self.kills = self.kills_while_running = self.rebuilt = self.restriped = self.subsets = 0
        self._random = random.Random(seed)
        self._next_drive = DRIVES

    def fill(self) -> None:
        """Enough that a rebuild takes a while."""
        client = self.server.client()
        self.population.fill(client)
        for number in range(self._bulk):
            self.population.put(client, f"bulk/{number}", 5 * MIB + number)
        client.close()

    def look(self, where: str) -> None:
        """Every object, and the listing."""
        client = self.server.client(60)
        found = [*self.population.look(client).problems(), *self.population.check_listing(client)]
        self.problems += [f"{where}: {problem}" for problem in found[:5]]
        client.close()

    def status(self) -> Any:
        """GET /v1/drives; None while nobody answers."""
        try:
            return self.server.admin("GET", "/v1/drives")
        except (OSError, urllib.error.URLError, http.client.HTTPException, AdminRefused):
            return None

    def _whole(self, status: Any) -> bool:
        repair = status["repair"]
        live = [d for d in status["drives"] if d["state"] == "live"]
        busy = repair["degraded"] + repair["moving"] + repair["damaged"] + repair["unreadable"]
        return (busy == 0 and len(live) == len(self.server.drives) == len(status["drives"])
                and sum(d["mirror"] for d in live) == PARITY + 1)

    def wait_whole(self, where: str) -> None:
        """Until nothing is degraded and all metadata mirrors are there."""
        deadline = time.monotonic() + HEAL_SECONDS_MAX
        status = None
        while time.monotonic() < deadline:
            status = self.status()
            if status is not None and self._whole(status):
                return
            time.sleep(0.1)
        raise ServerFailed(f"{where}: not whole after {HEAL_SECONDS_MAX} s: {status}\n{self.server.log_tail()}")

    def lose_one(self) -> int:
        """A drive is pulled and never comes back; its slot."""
        drive = self._random.choice(self.server.drives)
        slot = next(d["slot"] for d in self.server.admin("GET", "/v1/drives")["drives"] if d["path"] == str(drive))
        drive.rename(drive.with_name(drive.name + ".dead"))
        self.server.drives.remove(drive)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            states = {d["slot"]: d["state"] for d in self.server.admin("GET", "/v1/drives")["drives"]}
            if states[slot] != "live":
                return int(slot)
            time.sleep(0.05)
        raise ServerFailed(f"drive {drive} is gone and the server did not notice")

    def replace(self, slot: int) -> None:
        """A blank directory takes the place of the drive in the slot."""
        new = self.server.root / f"drive{self._next_drive}"
        self._next_drive += 1
        new.mkdir(mode=0o700)
        if self._tool is None:
            self.server.admin("POST", "/v1/drives", {"path": str(new), "replaces": slot})
        else:
            self._command("replace", str(slot), str(new))
        self.server.drives.append(new)

    def _command(self, *arguments: str) -> Any:
        """`outcrop drive ...`, its answer."""
        done = subprocess.run(
            [str(self._tool), "drive", *arguments, "--json", "--admin", f"127.0.0.1:{self.server.admin_port}",
             "--token-file", str(self.server.state / "admin-token")],
            capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AdminRefused(f"outcrop drive {' '.join(arguments)}: {done.returncode} {done.stderr}")
        return json.loads(done.stdout)

    def grow_and_shrink(self) -> None:
        """A working drive is drained onto a new one, removed and pulled."""
        new = self.server.root / f"drive{self._next_drive}"
        self._next_drive += 1
        new.mkdir(mode=0o700)
        old = self._random.choice(self.server.drives)
        self._command("add", str(new))
        self._command("drain", str(old))
        deadline = time.monotonic() + HEAL_SECONDS_MAX
        mine: dict[str, Any] = {}
        while time.monotonic() < deadline and mine.get("state") != "drained":
            time.sleep(0.2)
            mine = next(d for d in self._command("list")["drives"] if d["path"] == str(old))
        if mine["state"] != "drained" or not mine["safe_to_pull"]:
            raise ServerFailed(f"not drained after {HEAL_SECONDS_MAX} s: {mine}\n{self.server.log_tail()}")
        self.server.admin("DELETE", f"/v1/drives/{mine['slot']}")
        old.rename(old.with_name(old.name + ".drained"))
        self.server.drives[self.server.drives.index(old)] = new
        self.wait_whole("drained")
        self.look("drained and pulled")

    def kill_in_rebuild(self, count: int) -> None:
        """kill -9 a random while after repair or restriping has begun, and a start, a few times; until it is done."""
        for _ in range(count):
            deadline = time.monotonic() + 10
            status = self.status()
            while time.monotonic() < deadline and not (status and self._works(status)):
                if status and status["repair"]["degraded"] == 0 and self._whole(status):
                    return
                time.sleep(0.01)
                status = self.status()
            time.sleep(self._random.uniform(0.0, 0.5))
            status = self.status()
            self.kills_while_running += 1 if status and self._works(status) else 0
            self.server.kill()
            self.kills += 1
            self.server.start()

    def _works(self, status: Any) -> bool:
        return bool(status["repair"]["running"]) or status["restripe"]["state"] == "running"

    def shrink(self, kills: int) -> None:
        """A drive dies and nobody replaces it: what lay over all drives is written anew over the others."""
        self.server.stop()
        self.server.set_environment("OUTCROP_STORAGE_RESTRIPE_AFTER", "1s")
        self.server.start()
        client = self.server.client()
        part = self._random.randbytes(6 * MIB)
        upload = client.create_multipart(BUCKET, "unfinished")
        etag = client.upload_part(BUCKET, "unfinished", upload, 1, part)
        slot = self.lose_one()
        self.population.churn(client, "shrunk")
        client.close()
        self.kill_in_rebuild(kills)
        deadline = time.monotonic() + HEAL_SECONDS_MAX
        status = self.status()
        while time.monotonic() < deadline and (status is None or status["repair"]["degraded"] > 0):
            time.sleep(0.1)
            status = self.status()
        self.server.admin("DELETE", f"/v1/drives/{slot}")
        self.wait_whole("shrunk")
        self.look("shrunk")
        self.server.set_environment("OUTCROP_STORAGE_RESTRIPE_AFTER", "30m")
        self.server.stop()
        with moved_away(self._random.sample(self.server.drives, PARITY)):
            self.server.start()
            client = self.server.client(60)
            client.checked("complete", client.complete_multipart(BUCKET, "unfinished", upload, [etag]))
            if client.checked("get", client.get(BUCKET, "unfinished")).body != part:
                self.problems.append("shrunk: the upload that was not completed has other bytes")
            client.checked("delete", client.delete(BUCKET, "unfinished"))
            client.close()
            self.server.kill()
        self.server.start()
        self.wait_whole("shrunk, after two drives were away")
        self.restriped += 1

    def spread(self, kills: int) -> None:
        """A drive is added to the box that has shrunk: what lay over the others is written anew over all, kills or not."""
        self.server.stop()
        self.server.set_environment("OUTCROP_STORAGE_REBALANCE_AFTER", "1s")
        new = self.server.root / f"drive{self._next_drive}"
        self._next_drive += 1
        new.mkdir(mode=0o700)
        self.server.start()
        self._command("add", str(new))
        self.server.drives.append(new)
        for _ in range(kills):
            self._wait("spreading", lambda s: s["rebalance"]["state"] == "running" or self._is_spread(s))
            time.sleep(self._random.uniform(0.0, 0.5))
            status = self.status()
            self.kills_while_spreading += 1 if status and status["rebalance"]["state"] == "running" else 0
            self.server.kill()
            self.kills += 1
            self.server.start()
        self._wait("spread", self._is_spread)
        self.wait_whole("spread")
        self.look("spread")
        self.server.set_environment("OUTCROP_STORAGE_REBALANCE_AFTER", "10m")
        self.spread_over = self._mean_shards(self.status())

    def _wait(self, what: str, done: Callable[[Any], bool]) -> None:
        deadline = time.monotonic() + HEAL_SECONDS_MAX
        status = None
        while time.monotonic() < deadline:
            status = self.status()
            if status is not None and done(status):
                return
            time.sleep(0.05)
        raise ServerFailed(f"not {what} after {HEAL_SECONDS_MAX} s: {status}\n{self.server.log_tail()}")

    def _is_spread(self, status: Any) -> bool:
        """The newest drive has its part of the shards, and nothing is left to do."""
        newest = next((d["shards"] for d in status["drives"] if d["path"] == str(self.server.drives[-1])), 0)
        return status["rebalance"]["state"] == "idle" and newest >= 0.5 * self._mean_shards(status)

    @staticmethod
    def _mean_shards(status: Any) -> float:
        return sum(d["shards"] for d in status["drives"]) / len(status["drives"])

    def round(self, number: int, kills: int) -> None:
        """Lose, write, replace, kill, heal."""
        where = f"round {number}"
        client = self.server.client()
        slot = self.lose_one()
        self.population.churn(client, f"lost-{number}")
        client.close()
        self.look(f"{where}, one drive less")
        self.replace(slot)
        self.kill_in_rebuild(kills)
        client = self.server.client()
        self.population.churn(client, f"replaced-{number}")
        client.close()
        self.wait_whole(where)
        self.rebuilt += 1
        self.look(f"{where}, rebuilt")

    def any_two_may_go(self, most: int) -> None:
        """Every pair of drives away at boot, or a sample; in between all is whole again."""
        pairs = list(itertools.combinations(self.server.drives, PARITY))
        for pair in self._random.sample(pairs, min(most, len(pairs))):
            self.server.stop()
            with moved_away(list(pair)):
                self.server.start()
                self.look(f"without {[d.name for d in pair]}")
                self.server.kill()
            self.server.start()
            self.wait_whole(f"after {[d.name for d in pair]} were away")
            self.subsets += 1
            if self.problems:
                return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--outcrop", type=Path, help="the command line tool: drives are changed with it")
    parser.add_argument("--rounds", type=int, default=2, help="drives that die")
    parser.add_argument("--kills", type=int, default=4, help="kill -9 in each rebuild")
    parser.add_argument("--bulk", type=int, default=40, help="objects of 5 MiB beside the others")
    parser.add_argument("--pairs", type=int, default=6, help="pairs of drives taken away in the end")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of a run, not its timing")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"census: seed {seed}")
    began = time.monotonic()
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch) as server:
        census = Census(server, seed, options.bulk, options.outcrop)
        try:
            census.fill()
            for number in range(options.rounds):
                census.round(number, options.kills)
            if options.outcrop is not None:
                census.grow_and_shrink()
                census.shrink(options.kills)
                census.spread(options.kills)
            census.any_two_may_go(options.pairs)
        except (ServerFailed, AdminRefused) as failure:
            census.problems.append(str(failure))
        server.keep = bool(census.problems)
    for problem in census.problems[:20]:
        print(problem)
    print(f"census: seed {seed}, {census.rebuilt} drives rebuilt, {census.kills} kills "
          f"({census.kills_while_running} while repair ran, {census.kills_while_spreading} while data was spread), "
          f"{census.restriped} not replaced, {census.subsets} pairs of drives away, "
          f"{len(census.population.expected)} objects, {len(census.problems)} problems, "
          f"{time.monotonic() - began:.0f} s")
    most = math.comb(len(server.drives), PARITY)
    done = (census.rebuilt == options.rounds and census.subsets == min(options.pairs, most)
            and census.restriped == (options.outcrop is not None)
            and (options.outcrop is None or census.spread_over > 0)
            and (options.kills == 0 or census.kills_while_running > 0))
    return 1 if census.problems or not done else 0


if __name__ == "__main__":
    sys.exit(main())
