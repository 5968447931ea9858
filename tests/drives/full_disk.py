#!/usr/bin/env python3
"""Drives that are filled to the brim and emptied again: reads and deletes always work, and so does writing, again."""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import random
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from loop_drives import available, loop_drives
from s3client import S3Client
from server import Server

BUCKET = "full"
DRIVES = 3
WRITERS = 8
# Mostly one kind in a cycle: whole segments of small records, of stripes, and metadata alone.
MIXES = {"small": [4_000, 40_000, 120_000], "large": [300_000, 3_000_000], "metadata": [1_500],
         "mixed": [1_000, 20_000, 500_000]}


class FillAndDrain:
    """Remembers what was acknowledged; every check compares bytes."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.alive: dict[str, str] = {}
        self.problems: list[str] = []
        self.refused = self.written = 0
        self._serial = 0

    def _body(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def fill(self, sizes: list[int], most: int) -> None:
        """Until the store refuses; every refusal must be 507, and leave nothing behind."""
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(self._fill_one, f"k/{self._serial}/{i}", random.Random(self.random.random()), sizes,
                                   most // WRITERS) for i in range(WRITERS)]
            self._serial += 1
            for writer in writers:
                alive, problems = writer.result()
                self.alive |= alive
                self.problems += problems

    def _fill_one(self, prefix: str, rng: random.Random, sizes: list[int],
                  most: int) -> tuple[dict[str, str], list[str]]:
        client = self.server.client()
        alive: dict[str, str] = {}
        problems: list[str] = []
        for number in range(most):
            key, body = f"{prefix}/{number}", rng.randbytes(rng.choice(sizes))
            response = client.put(BUCKET, key, body)
            if response.status == 200:
                alive[key] = hashlib.sha256(body).hexdigest()
                self.written += len(body)  # a figure for the report: races do not matter
                continue
            if response.status != 507:
                problems.append(f"PUT {key}: {response.status} {response.body[:200]!r}")
            self.refused += 1
            if client.head(BUCKET, key).status != 404:
                problems.append(f"{key} was refused and is there")
            break
        else:
            problems.append(f"not full after {most} objects")
        client.close()
        return alive, problems

    def look(self, client: S3Client, count: int) -> None:
        """Some of what was acknowledged, byte for byte, and the whole listing."""
        for key in self.random.sample(sorted(self.alive), min(count, len(self.alive))):
            response = client.get(BUCKET, key)
            if response.status != 200 or hashlib.sha256(response.body).hexdigest() != self.alive[key]:
                self.problems.append(f"GET {key}: {response.status}, {len(response.body)} bytes")
        listed = {key for key, _ in client.list_keys(BUCKET)}
        if listed != set(self.alive):
            self.problems.append(f"listing: {len(listed)} keys, {len(self.alive)} acknowledged, "
                                 f"{sorted(listed ^ set(self.alive))[:5]}")

    def drain(self, client: S3Client, share: float) -> None:
        """Deletes a random share: a full store must let it."""
        keys = sorted(self.alive)
        doomed = self.random.sample(keys, int(len(keys) * share))
        for at in range(0, len(doomed), 500):
            some = doomed[at : at + 500]
            response = client.delete_many(BUCKET, some)
            if response.status != 200 or b"<Error>" in response.body:
                self.problems.append(f"DeleteObjects on a full store: {response.status} {response.body[:300]!r}")
                return
            for key in some:
                del self.alive[key]

    def wait_for_room(self, client: S3Client, seconds: float) -> float:
        """Until a PUT works again, by itself; how long that took."""
        began = time.monotonic()
        status = 0
        while time.monotonic() - began < seconds:
            body = self._body(200_000)
            status = client.put(BUCKET, "room", body).status
            if status == 200:
                client.delete(BUCKET, "room")
                return time.monotonic() - began
            time.sleep(0.5)
        self.problems.append(f"no room {seconds} s after most was deleted: {status}")
        self.problems += [line for line in self.server.metrics().splitlines() if "segment" in line and line[0] != "#"]
        return seconds


def cycle(run: FillAndDrain, number: int, restart: bool) -> str:
    """Fill, look, delete nine of ten at random, wait, look; sometimes killed when full."""
    kind = list(MIXES)[number % len(MIXES)]
    client = run.server.client()
    before = run.written
    run.fill(MIXES[kind], 1_000_000)
    objects = len(run.alive)
    run.look(client, 30)
    if restart:
        client.close()
        run.server.kill()
        run.server.start()
        client = run.server.client()
        run.look(client, 30)
    run.drain(client, 0.9)
    waited = run.wait_for_room(client, 120)
    run.look(client, 30)
    client.close()
    return (f"cycle {number}: {kind}, {objects} objects, {(run.written - before) >> 20} MiB until full, "
            f"room again after {waited:.1f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--mebibytes", type=int, default=64, help="size of each drive's device")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    if reason := available():
        print(f"full disk: SKIPPED, {reason}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"full disk: seed {seed}, {DRIVES} drives of {options.mebibytes} MiB", flush=True)
    with loop_drives(DRIVES, options.mebibytes, options.scratch) as directories, \
            Server(options.outcropd, directories=directories, scratch=options.scratch,
                   segment_size="auto") as server:
        client = server.client()
        client.create_bucket(BUCKET)
        client.close()
        run = FillAndDrain(server, seed)
        for number in range(options.cycles):
            print(cycle(run, number, restart=number % 4 == 3), flush=True)
            if run.problems:
                break
        server.stop()
    for problem in run.problems[:20]:
        print(f"  {problem}")
    print(f"full disk: {run.written >> 20} MiB written, {run.refused} times full, {len(run.problems)} problems")
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
