#!/usr/bin/env python3
"""Drives that are filled to the brim and emptied again: reads and deletes always work, and so does writing, again.

Filled by PUT, by multipart uploads, by files through NFS and by metadata alone. With --small-drive one of five is smaller:
when it is full, the others go on until they are, too.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from loop_drives import available, loop_drives
from nfsclient import NFS, Nfs3, NfsFailed, nfs_config, opaque
from s3client import S3Client, S3Error
from server import Server, free_ports

BUCKET = "full"
FOLDER = "files"  # of what is written through NFS
DRIVES, UNEQUAL_DRIVES = 3, 5
WRITERS = 8
PART_BYTES = 5 << 20
NFS_NONE, NFS_NO_SPACE, NFS_LATER = 2, 28, 10008  # of nfsstat3
# Mostly one kind in a cycle: whole segments of small records, of stripes, and metadata alone.
MIXES = {"large": [300_000, 3_000_000], "small": [4_000, 40_000, 120_000], "metadata": [1_500],
         "mixed": [1_000, 20_000, 500_000], "multipart": [PART_BYTES + 700_000], "files": [4_000, 90_000, 700_000]}
OK, FULL = 200, 507
MUCH = 100 << 20  # bytes free beside which the holes are little
SETTLED = 3  # seconds in which no more gets free


class ByPut:
    """Objects written in one request."""

    def __init__(self, server: Server, _nfs_port: int) -> None:
        self.client = server.client()

    def write(self, key: str, body: bytes) -> int:
        """OK, FULL, or whatever else the server said."""
        return self.client.put(BUCKET, key, body).status

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()


class ByParts(ByPut):
    """Multipart uploads. What was sent of one that is refused is given up, which a full store must let it."""

    def write(self, key: str, body: bytes) -> int:
        upload = ""
        try:
            upload = self.client.create_multipart(BUCKET, key)
            etags = [self.client.upload_part(BUCKET, key, upload, number, body[at:at + PART_BYTES])
                     for number, at in enumerate(range(0, len(body), PART_BYTES), 1)]
            status = self.client.complete_multipart(BUCKET, key, upload, etags).status
        except S3Error as error:
            status = error.response.status
        if status != OK and upload:
            aborted = self.client.call("DELETE", BUCKET, key, {"uploadId": upload})
            return status if aborted.status == 204 else aborted.status
        return status


class ByNfs(ByPut):
    """Files through NFS, safe on the drives. What there is of one that is refused is removed."""

    def __init__(self, server: Server, nfs_port: int) -> None:
        super().__init__(server, nfs_port)
        self.nfs = Nfs3(nfs_port, f"/{BUCKET}")
        self.folder = self.nfs.lookup(self.nfs.root, FOLDER)

    def write(self, key: str, body: bytes) -> int:
        name = key.removeprefix(f"{FOLDER}/")
        for _ in range(200):
            try:
                self.nfs.write_file(self.folder, name, body)
            except NfsFailed as error:
                if error.status == NFS_LATER:  # so much is on its way to the drives
                    time.sleep(0.05)
                    continue
                removed = self.nfs.rpc.call(NFS, 3, 12, self.nfs.remove_arguments(self.folder, name)).u32()
                if removed not in (0, NFS_NONE):
                    return removed
                return FULL if error.status == NFS_NO_SPACE else error.status
            return OK
        return NFS_LATER

    def close(self) -> None:
        super().close()
        self.nfs.rpc.close()


def writer_of(kind: str) -> Callable[[Server, int], ByPut]:
    """How a kind of cycle writes."""
    return {"multipart": ByParts, "files": ByNfs}.get(kind, ByPut)


class FillAndDrain:
    """Remembers what was acknowledged; every check compares bytes."""

    def __init__(self, server: Server, seed: int, nfs_port: int) -> None:
        self.server = server
        self.nfs_port = nfs_port
        self.random = random.Random(seed)
        self.alive: dict[str, str] = {}
        self.problems: list[str] = []
        self.refused = self.written = 0
        self._serial = 0

    def _body(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def fill(self, kind: str, most: int) -> None:
        """Until the store refuses; every refusal must be for want of room, and leave nothing behind."""
        folder = FOLDER if kind == "files" else "k"
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            writers = [pool.submit(self._fill_one, kind, f"{folder}/{self._serial}-{i}",
                                   random.Random(self.random.random()), most // WRITERS) for i in range(WRITERS)]
            self._serial += 1
            for writer in writers:
                alive, problems = writer.result()
                self.alive |= alive
                self.problems += problems

    def _fill_one(self, kind: str, prefix: str, rng: random.Random, most: int) -> tuple[dict[str, str], list[str]]:
        writer = writer_of(kind)(self.server, self.nfs_port)
        alive: dict[str, str] = {}
        problems: list[str] = []
        for number in range(most):
            key, body = f"{prefix}-{number}", rng.randbytes(rng.choice(MIXES[kind]))
            status = writer.write(key, body)
            if status == OK:
                alive[key] = hashlib.sha256(body).hexdigest()
                self.written += len(body)  # a figure for the report: races do not matter
                continue
            if status != FULL:
                problems.append(f"{kind} {key}: {status}")
            self.refused += 1
            if writer.client.head(BUCKET, key).status != 404:
                problems.append(f"{key} was refused and is there")
            break
        else:
            problems.append(f"not full after {most} objects")
        writer.close()
        return alive, problems

    def free(self) -> int:
        """Bytes that FSSTAT says can be written."""
        nfs = Nfs3(self.nfs_port, f"/{BUCKET}")
        reply = nfs.call(18, opaque(nfs.root))
        nfs.rpc.close()
        if reply.u32():
            reply.fixed(84)
        reply.u64()
        return reply.u64()

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
            body = self._body(max(MIXES["multipart"]))
            status = client.put(BUCKET, "room", body).status
            if status == 200:
                client.delete(BUCKET, "room")
                return time.monotonic() - began
            time.sleep(0.5)
        self.problems.append(f"no room {seconds} s after most was deleted: {status}")
        self.problems += [line for line in self.server.metrics().splitlines() if "segment" in line and line[0] != "#"]
        return seconds


    def settle(self) -> int:
        """Until compaction and collection win nothing more; MiB free after all."""
        most = quiet = 0
        for _ in range(120):
            free = self.free()
            quiet = 0 if free > most else quiet + 1
            most = max(most, free)
            if quiet == SETTLED:
                break
            time.sleep(1)
        return most >> 20


def cycle(run: FillAndDrain, number: int, restart: bool) -> str:
    """Fill, look, delete nine of ten at random, wait, look; sometimes killed when full."""
    kind = list(MIXES)[number % len(MIXES)]
    client = run.server.client()
    before, free = run.written, run.free()
    run.fill(kind, 1_000_000)
    objects = len(run.alive)
    # Writers end at their first refusal, and the last segments have holes; but no drive is to stop the others.
    if kind == "large" and free > MUCH and run.written - before < free / 2:
        run.problems.append(f"full after {(run.written - before) >> 20} MiB; {free >> 20} were free")
    run.look(client, 30)
    if restart:
        client.close()
        run.server.kill()
        run.server.start()
        client = run.server.client()
        run.look(client, 30)
    run.drain(client, 0.9)
    waited = run.wait_for_room(client, 120)
    settled = run.settle()
    run.look(client, 30)
    client.close()
    return (f"cycle {number}: {kind}, {objects} objects, {(run.written - before) >> 20} MiB until full, "
            f"room again after {waited:.1f} s, {settled} MiB free in the end")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--cycles", type=int, default=200)
    parser.add_argument("--mebibytes", type=int, default=64, help="size of each drive's device")
    parser.add_argument("--small-drive", type=int, metavar="MEBIBYTES",
                        help=f"{UNEQUAL_DRIVES} drives instead of {DRIVES}, one of them of this size")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    if reason := available():
        print(f"full disk: SKIPPED, {reason}")
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    sizes = [options.mebibytes] * DRIVES
    if options.small_drive:
        sizes = [options.mebibytes] * (UNEQUAL_DRIVES - 1) + [options.small_drive]
    print(f"full disk: seed {seed}, drives of {sizes} MiB", flush=True)
    (port,) = free_ports(1)
    with loop_drives(sizes, options.scratch) as directories, \
            Server(options.outcropd, directories=directories, scratch=options.scratch, segment_size="auto",
                   extra_config=nfs_config(port, BUCKET)) as server:
        client = server.client()
        client.create_bucket(BUCKET)
        client.close()
        nfs = Nfs3(port, f"/{BUCKET}")
        nfs.mkdir(nfs.root, FOLDER)
        nfs.rpc.close()
        run = FillAndDrain(server, seed, port)
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
