#!/usr/bin/env python3
"""A directory of a million files: READDIRPLUS (v3) and READDIR (v4.1) reach its end with the same time and CPU per page
all the way and without memory, each name comes once; also while others rename, remove and create entries between the
pages and the server is killed in the middle: what nobody touches is neither skipped nor repeated."""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from nfsclient import NFS, Nfs3, NfsFailed, Session, walk_directory  # noqa: E402
from process import process_cpu, process_memory  # noqa: E402
from server import Server, free_ports  # noqa: E402

BUCKET = "big"
MIB = 1 << 20
CREATE, REMOVE = 8, 12
# What Linux asks for each entry.
ATTRIBUTES = [0, 1, 3, 4, 8, 11, 19, 20, 33, 35, 36, 37, 41, 45, 47, 52, 53, 55]
ENOUGH_TO_MEASURE = 200_000  # names: a tenth takes many of the kernel's clock ticks
MOST_GROWTH = 48 * MIB  # of the server while it serves listings, beyond caches that are full already


def name_of(i: int) -> str:
    """Names in no order of creation."""
    return f"file-{i * 2654435761 % (1 << 32):08x}-{i}"


def change(port: int, procedure: int, names: list[str], lanes: int = 4) -> None:
    """CREATE or REMOVE of all names, by several connections at once."""
    failed: list[str] = []

    def lane(share: list[str]) -> None:
        client = Nfs3(port, f"/{BUCKET}")
        directory = client.lookup(client.root, "d")
        encode = Nfs3.create_arguments if procedure == CREATE else Nfs3.remove_arguments
        for results in client.rpc.call_many(NFS, 3, procedure, (encode(directory, n) for n in share)):
            if results[:4] != bytes(4):
                failed.append(f"procedure {procedure} answers {int.from_bytes(results[:4], 'big')}")
        client.rpc.close()

    threads = [threading.Thread(target=lane, args=(names[i::lanes],)) for i in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise NfsFailed(failed[0], len(failed))


def compare(what: str, got: list[str], want: set[str], maybe: set[str]) -> list[str]:
    """`want` once each, `maybe` or not, nothing else."""
    count = Counter(got)
    problems = []
    missing = [n for n in want if n not in count]
    repeated = [n for n, times in count.items() if times > 1 and n in want]
    strange = [n for n in count if n not in want and n not in maybe]
    for kind, names in (("skipped", missing), ("repeated", repeated), ("never there", strange)):
        if names:
            problems.append(f"{what}: {len(names)} names {kind}, such as {sorted(names)[:3]}")
    return problems


Read = Callable[[int], tuple[list[tuple[str, int]], bool]]


def readers(port: int) -> dict[str, Read]:
    """A reader of the directory for each protocol, on fresh connections."""
    v3 = Nfs3(port, f"/{BUCKET}")
    handle3 = v3.lookup(v3.root, "d")
    v4 = Session(port, b"reader")
    handle4 = v4.walk(BUCKET, "d")
    return {"v3": lambda cookie: v3.read_page(handle3, cookie),
            "v4.1": lambda cookie: v4.read_page(handle4, cookie, ATTRIBUTES)}


def quiet(server: Server, port: int, names: set[str]) -> list[str]:
    """Whole listings with nobody else there."""
    problems = []
    for what, read in readers(port).items():
        before = process_memory(server.pid)
        peak = before
        got: list[str] = []
        pages = 0
        marks = [process_cpu(server.pid)]  # after each tenth
        began = time.monotonic()
        for page in walk_directory(read):
            got += page
            pages += 1
            if pages % 64 == 0:
                peak = max(peak, process_memory(server.pid))
            if len(got) * 10 >= len(names) * len(marks):
                marks.append(process_cpu(server.pid))
        seconds = time.monotonic() - began
        peak = max(peak, process_memory(server.pid))
        costs = [1e7 * (b - a) / len(names) for a, b in itertools.pairwise(marks)]
        print(f"directory: {what}: {len(got)} entries in {pages} pages, {seconds:.1f} s; server CPU, us an entry in "
              f"each tenth: {' '.join(f'{c:.1f}' for c in costs)}; memory {before // MIB} MiB before, "
              f"peak {peak // MIB} MiB", flush=True)
        problems += compare(what, got, names, set())
        if len(names) >= ENOUGH_TO_MEASURE and costs[-1] > 3 * statistics.median(costs):
            problems.append(f"{what}: the last tenth costs {costs[-1]:.1f} us an entry")
        if peak - before > MOST_GROWTH:
            problems.append(f"{what}: memory grew by {(peak - before) // MIB} MiB")
    return problems


class Disturber:
    """Removes, creates and renames a share of the names, some after every page."""

    def __init__(self, port: int, names: set[str], seed: int) -> None:
        self.port, self.random = port, random.Random(seed)
        self.touched = set(self.random.sample(sorted(names), len(names) // 3))
        self.still = names - self.touched
        self.there, self.ever = set(names), set(names)
        self._todo = sorted(self.touched)
        self.random.shuffle(self._todo)
        self._made = 0
        self.connect()

    def connect(self) -> None:
        """A new connection, after a restart of the server."""
        self.client = Nfs3(self.port, f"/{BUCKET}")
        self.directory = self.client.lookup(self.client.root, "d")

    def step(self, just_read: list[str], share: int) -> None:
        """Removes what was read last, as rm -r does, if it may be touched; and other entries anywhere."""
        doomed = [n for n in just_read[-3:] if n in self.touched and n in self.there]
        while self._todo and len(doomed) < share:
            name = self._todo.pop()
            if name not in self.there:
                continue
            if len(doomed) % 3 == 2:
                self._rename(name)
                doomed.append("")
            else:
                doomed.append(name)
        calls = [Nfs3.remove_arguments(self.directory, n) for n in dict.fromkeys(doomed) if n]
        self._all(REMOVE, calls)
        self.there -= set(doomed)
        fresh = [self._new_name() for _ in range(share // 2)]
        self._all(CREATE, [Nfs3.create_arguments(self.directory, n) for n in fresh])
        self.there |= set(fresh)
        self.ever |= set(fresh)

    def _new_name(self) -> str:
        self._made += 1
        return f"file-{self.random.getrandbits(32):08x}-new{self._made}"

    def _rename(self, name: str) -> None:
        new = self._new_name()
        self.client.rename(self.directory, name, new)
        self.there.discard(name)
        self.there.add(new)
        self.ever.add(new)

    def _all(self, procedure: int, calls: list[bytes]) -> None:
        for results in self.client.rpc.call_many(NFS, 3, procedure, calls):
            if results[:4] != bytes(4):
                raise NfsFailed(f"procedure {procedure}", int.from_bytes(results[:4], "big"))


def disturbed(server: Server, port: int, names: set[str], kills: int) -> tuple[list[str], set[str]]:
    """Listings by both protocols with changes between the pages; `kills` times the server goes down."""
    problems: list[str] = []
    there = names
    for protocol in ("v3", "v4.1"):
        disturber = Disturber(port, there, seed=len(protocol))
        state = {"read": readers(port)[protocol]}
        got: list[str] = []
        pages = max(2, len(there) // 400)
        every = max(1, pages // (kills + 1))
        share = max(6, len(disturber.touched) // pages)
        last: list[str] = []

        def between(page: int, protocol: str = protocol, every: int = every, share: int = share) -> None:
            disturber.step(last, share)
            if page % every == every - 1 and page // every < kills:
                server.kill()
                server.start()
                disturber.connect()
                state["read"] = readers(port)[protocol]
                disturber.step([], share)  # before anybody has read anything

        for names_of_page in walk_directory(lambda cookie: state["read"](cookie), between):
            last[:] = names_of_page
            got += names_of_page
        print(f"directory: {protocol}: {len(got)} entries listed while {len(disturber.ever)} names came and went, "
              f"{kills} kills", flush=True)
        problems += compare(f"{protocol}, disturbed", got, disturber.still, disturber.ever)
        there = disturber.there
    return problems, there


def sweep(server: Server, port: int, names: set[str]) -> list[str]:
    """rm -r: every page is removed before the next one is read, and the server is killed once in the middle."""
    left = set(names)
    state = {"read": readers(port)["v4.1"]}
    page: list[str] = []
    killed = False

    def between(_: int) -> None:
        nonlocal killed
        if not killed and len(left) < len(names) // 2:
            killed = True
            server.kill()
            server.start()
            state["read"] = readers(port)["v4.1"]
        change(port, REMOVE, page, lanes=1)
        left.difference_update(page)

    for names_of_page in walk_directory(lambda cookie: state["read"](cookie), between):
        page[:] = names_of_page
    change(port, REMOVE, page, lanes=1)
    left.difference_update(page)
    rest = [n for p in walk_directory(readers(port)["v3"]) for n in p]
    print(f"directory: swept {len(names)} entries, killed once: {killed}; {len(rest)} left", flush=True)
    problems = [f"sweep: {len(left)} never listed, {len(rest)} left"] if left or rest else []
    return problems if killed else [*problems, "sweep: the server was not killed"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=2, help="in the middle of each disturbed listing")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    port = free_ports(1)[0]
    config = (f'[nfs]\nlisten = "127.0.0.1:{port}"\nlease = "10s"\n\n[[export]]\npath = "/{BUCKET}"\n'
              f'bucket = "{BUCKET}"\nclients = ["127.0.0.0/8"]\nsquash = "none"\n')
    environment = {"OUTCROP_SERVER_MEMORY_LIMIT": "512MiB"}
    with Server(options.outcropd, scratch=options.scratch, extra_config=config, environment=environment) as server:
        server.client().create_bucket(BUCKET)
        client = Nfs3(port, f"/{BUCKET}")
        client.mkdir(client.root, "d")
        names = {name_of(i) for i in range(options.entries)}
        began = time.monotonic()
        change(port, CREATE, sorted(names))
        print(f"directory: {len(names)} files made in {time.monotonic() - began:.1f} s, "
              f"memory {process_memory(server.pid) // MIB} MiB", flush=True)
        for read in readers(port).values():  # caches are as full as they get
            for _ in walk_directory(read):
                pass
        problems = quiet(server, port, names)
        more, names = disturbed(server, port, names, options.kills)
        problems += more
        problems += sweep(server, port, names)
    for problem in problems:
        print(f"directory: {problem}")
    print(f"directory: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
