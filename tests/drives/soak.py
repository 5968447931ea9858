#!/usr/bin/env python3
"""T20: hours of mixed S3 and NFS load while drives die and are replaced, and everything is scrubbed: nothing may grow.

No request may fail, no byte be wrong, and resident memory and descriptors must stay where they were. Where control
groups can be made the server runs in one with --memory-mib.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import random
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from census import Census
from nfsclient import Nfs3, NfsFailed, nfs_config
from population import BUCKET, MIB
from server import AdminRefused, Server, ServerFailed, free_ports

DRIVES = 6
KEYS = 120  # of each client: what is stored stays the same
SIZES = [100, 1_500, 9_000, 70_000, 400_000, 3 * MIB]
GROUPS = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]  # version 1, version 2
LIMITS = ["memory.limit_in_bytes", "memory.max"]


class Load(threading.Thread):
    """A client that overwrites, reads, lists and removes keys of its own, and knows what they hold."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.number, self.random = number, random.Random(seed)
        self.stopping = threading.Event()
        self.held: dict[str, str] = {}
        self.problems: list[str] = []
        self.requests = 0

    def run(self) -> None:
        try:
            while not self.stopping.is_set() and len(self.problems) < 5:
                self.step()
                self.requests += 1
        except (OSError, http.client.HTTPException, NfsFailed) as error:
            self.problems.append(f"{type(self).__name__} {self.number}: no answer: {error!r}")

    def step(self) -> None:
        raise NotImplementedError

    def read(self, key: str) -> bytes:
        raise NotImplementedError

    def remove(self, key: str) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """All is there; takes it away."""
        for key, digest in sorted(self.held.items()):
            self.expect(hashlib.sha256(self.read(key)).hexdigest() == digest, f"in the end {key} differs")
            self.remove(key)

    def body(self) -> bytes:
        return self.random.randbytes(self.random.choice(SIZES))

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.problems.append(f"{type(self).__name__} {self.number}: {what}")


class S3Load(Load):
    """By S3."""

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.client = server.client(120)

    def step(self) -> None:
        dice, key = self.random.random(), f"soak/{self.number}/{self.random.randrange(KEYS)}"
        if dice < 0.4:
            body = self.body()
            answer = self.client.put(BUCKET, key, body)
            self.held[key] = hashlib.sha256(body).hexdigest()
            self.expect(answer.ok, f"PUT {key}: {answer.status}")
        elif dice < 0.43:
            parts = [self.random.randbytes(5 * MIB), self.body()]
            answer = self.client.put_multipart(BUCKET, key, parts)
            self.held[key] = hashlib.sha256(b"".join(parts)).hexdigest()
            self.expect(answer.ok, f"multipart {key}: {answer.status}")
        elif dice < 0.5:
            self.remove(key)
            self.held.pop(key, None)
        elif dice < 0.52:
            listed = [k for k, _ in self.client.list_keys(BUCKET, f"soak/{self.number}/")]
            self.expect(sorted(listed) == sorted(self.held), f"{len(listed)} keys listed, {len(self.held)} are there")
        else:
            answer = self.client.get(BUCKET, key)
            digest = hashlib.sha256(answer.body).hexdigest() if answer.ok else None
            self.expect(digest == self.held.get(key) and answer.status in (200, 404), f"GET {key}: {answer.status}")


    def read(self, key: str) -> bytes:
        return self.client.get(BUCKET, key).body

    def remove(self, key: str) -> None:
        answer = self.client.delete(BUCKET, key)
        self.expect(answer.status == 204, f"DELETE {key}: {answer.status}")


class NfsLoad(Load):
    """By NFSv3, in a directory of its own."""

    def __init__(self, port: int, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.nfs = Nfs3(port, f"/{BUCKET}")
        self.folder = self.nfs.mkdir(self.nfs.root, f"nfs-{number}")

    def step(self) -> None:
        dice, name = self.random.random(), f"file-{self.random.randrange(KEYS)}"
        if dice < 0.4:
            body = self.body()[:512 << 10]
            if name in self.held:
                self.remove(name)
            self.nfs.write_file(self.folder, name, body)
            self.held[name] = hashlib.sha256(body).hexdigest()
        elif dice < 0.5 and name in self.held:
            self.remove(name)
            del self.held[name]
        elif name in self.held:
            body = self.read(name)
            self.expect(hashlib.sha256(body).hexdigest() == self.held[name], f"READ {name}: {len(body)} bytes")


    def read(self, key: str) -> bytes:
        return self.nfs.read_file(self.nfs.lookup(self.folder, key))

    def remove(self, key: str) -> None:
        self.nfs.call(12, self.nfs.remove_arguments(self.folder, key))

    def end(self) -> None:
        super().end()
        self.nfs.call(13, self.nfs.remove_arguments(self.nfs.root, f"nfs-{self.number}"))


@contextlib.contextmanager
def group_of(pid: int, limit: int) -> Iterator[bool]:
    """A control group with so much memory, where that is allowed."""
    for root, file in zip(GROUPS, LIMITS, strict=True):
        group = root / f"outcrop-soak-{pid}"
        try:
            group.mkdir()
            (group / file).write_text(str(limit))
            (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            continue
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):
                (root / "cgroup.procs").write_text(str(pid))
            with contextlib.suppress(OSError):
                group.rmdir()
        return
    yield False


def sample(pid: int) -> tuple[int, int]:
    """Resident bytes and descriptors."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS:"))
    return resident, len(list(Path(f"/proc/{pid}/fd").iterdir()))


class Soak(Census):
    """Census has the drives: how one is lost, replaced, and all is whole again."""

    def run(self, loads: list[Load], minutes: float, swap_seconds: float) -> list[tuple[int, int]]:
        """Samples, one each second."""
        for load in loads:
            load.start()
        samples = []
        end = time.monotonic() + 60 * minutes
        swap_at, lost = time.monotonic() + swap_seconds / 2, None
        self.swaps = 0
        while time.monotonic() < end and not any(load.problems for load in loads):
            samples.append(sample(self.server.pid))
            if time.monotonic() >= swap_at:
                if lost is None:
                    lost = self.lose_one()
                else:
                    self.replace(lost)
                    self.swaps, lost = self.swaps + 1, None
                swap_at += swap_seconds / 2
            time.sleep(1)
        for load in loads:
            load.stopping.set()
        for load in loads:
            load.join(120)
        if lost is not None:
            self.replace(lost)
            self.swaps += 1
        return samples


def growth(samples: list[tuple[int, int]]) -> list[str]:
    """What is more in the last quarter than in the one before it."""
    quarter = len(samples) // 4
    early, late = samples[2 * quarter:3 * quarter], samples[3 * quarter:]
    resident = [statistics.median(s[0] for s in part) for part in (early, late)]
    descriptors = [statistics.median(s[1] for s in part) for part in (early, late)]
    print(f"soak: resident {resident[0] / MIB:.0f} MiB, then {resident[1] / MIB:.0f} MiB, most "
          f"{max(s[0] for s in samples) / MIB:.0f} MiB; descriptors {descriptors[0]:.0f}, then {descriptors[1]:.0f}")
    problems = []
    if resident[1] > 1.1 * resident[0] + 16 * MIB:
        problems.append("resident memory grows")
    if descriptors[1] > 1.2 * descriptors[0] + 32:  # one for each shard file
        problems.append("descriptors grow")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--swap-seconds", type=float, default=3600, help="between drives that die")
    parser.add_argument("--memory-mib", type=int, default=1024)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"soak: seed {seed}", flush=True)
    limit = options.memory_mib << 20
    port, = free_ports(1)
    environment = {"OUTCROP_SERVER_MEMORY_LIMIT": f"{options.memory_mib // 2}MiB", "OUTCROP_STORAGE_SCRUB_PERIOD": "120s"}
    problems: list[str] = []
    with Server(options.outcropd, drives=DRIVES, scratch=options.scratch, extra_config=nfs_config(port, BUCKET),
                environment=environment) as server, group_of(server.pid, limit) as grouped:
        soak = Soak(server, seed, 4, None)
        soak.fill()
        loads: list[Load] = [S3Load(server, n, seed + n) for n in range(options.clients)]
        loads += [NfsLoad(port, n, seed + 100 + n) for n in range(max(1, options.clients // 4))]
        try:
            samples = soak.run(loads, options.minutes, options.swap_seconds)
            if not any(load.problems for load in loads):
                for load in loads:
                    load.end()
            problems = [p for load in loads for p in load.problems]
            problems += growth(samples)
            soak.wait_whole("in the end")
            soak.look("in the end")
            errors = sum(float(line.rsplit(" ", 1)[1]) for line in server.metrics().splitlines()
                         if line.startswith("outcrop_requests_total") and 'status="5' in line)
            if errors:
                problems.append(f"{errors:.0f} answers of 5xx")
        except (ServerFailed, AdminRefused) as failure:
            problems.append(str(failure))
        problems += soak.problems
        server.keep = bool(problems)
        requests = sum(load.requests for load in loads)
    for problem in problems[:20]:
        print(f"  {problem}")
    print(f"soak: {options.minutes:g} minutes, {requests} requests, {soak.swaps} drives replaced, "
          f"{'in a group of' if grouped else 'no group, limit'} {options.memory_mib} MiB, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
