#!/usr/bin/env python3
"""ListObjectsV2 over a million keys in one prefix and a hundred thousand common prefixes: each page costs what the first
one did, from whatever key it starts, the server's memory stays where it was, and every key comes once, in order."""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from nfsclient import NFS, Nfs3, NfsFailed, Reader  # noqa: E402
from process import process_cpu, process_memory  # noqa: E402
from s3client import S3Client  # noqa: E402
from server import Server, free_ports  # noqa: E402

BUCKET = "wide"
MIB = 1 << 20
CREATE, MKDIR = 8, 9
PAGE = 1000
LANES = 4
ENOUGH_TO_MEASURE = 50  # pages: a tenth takes many of the kernel's clock ticks
MOST_GROWTH = 48 * MIB  # of the server while it serves listings, beyond caches that are full already


def flat_name(i: int) -> str:
    """Names in no order of creation."""
    return f"{i * 2654435761 % (1 << 32):08x}-{i}"


def make_all(port: int, procedure: int, calls: list[bytes]) -> list[bytes]:
    """CREATE or MKDIR of everything, by several connections at once; the handles, in the order of the calls."""
    handles: list[list[bytes]] = [[] for _ in range(LANES)]
    failed: list[str] = []

    def lane(number: int) -> None:
        try:
            client = Nfs3(port, f"/{BUCKET}")
            for results in client.rpc.call_many(NFS, 3, procedure, calls[number::LANES]):
                reply = Reader(results)
                if (status := reply.u32()) or not reply.u32():
                    raise NfsFailed(f"procedure {procedure}", status)
                handles[number].append(reply.opaque())
            client.rpc.close()
        except (OSError, NfsFailed) as error:
            failed.append(repr(error))

    threads = [threading.Thread(target=lane, args=(number,)) for number in range(LANES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise NfsFailed(failed[0], len(failed))
    return [handles[i % LANES][i // LANES] for i in range(len(calls))]


def populate(port: int, keys: int, prefixes: int) -> None:
    """flat/NAME, and tree/NUMBER/key: file clients make empty files far faster than S3 could."""
    client = Nfs3(port, f"/{BUCKET}")
    flat = client.mkdir(client.root, "flat")
    make_all(port, CREATE, [Nfs3.create_arguments(flat, flat_name(i)) for i in range(keys)])
    tree = client.mkdir(client.root, "tree")
    directories = make_all(port, MKDIR, [Nfs3.mkdir_arguments(tree, f"{i:06}") for i in range(prefixes)])
    make_all(port, CREATE, [Nfs3.create_arguments(directory, "key") for directory in directories])


@dataclass
class Page:
    """One answer."""

    names: list[str]  # keys and common prefixes, in order
    token: str  # empty: the last one


def read_page(client: S3Client, query: Mapping[str, str]) -> Page:
    """One page of ListObjectsV2."""
    query = {"list-type": "2", "max-keys": str(PAGE), "encoding-type": "url", **query}
    response = client.checked("list", client.call("GET", BUCKET, query=query))
    names, token = [], ""
    for element in ElementTree.fromstring(response.body):
        tag = element.tag.rsplit("}", 1)[-1]
        if tag in {"Contents", "CommonPrefixes"}:
            names.append(urllib.parse.unquote_plus(element[0].text or ""))
        elif tag == "NextContinuationToken":
            token = element.text or ""
    return Page(names, token)


def pages(client: S3Client, query: Mapping[str, str]) -> Iterator[Page]:
    """All of a listing."""
    page = read_page(client, query)
    yield page
    while page.token:
        page = read_page(client, {**query, "continuation-token": page.token})
        yield page


def whole(server: Server, what: str, query: Mapping[str, str], want: list[str]) -> list[str]:
    """A listing from its first page to its last."""
    client = server.client()
    before = peak = process_memory(server.pid)
    got: list[str] = []
    marks = [process_cpu(server.pid)]  # after each tenth
    began = time.monotonic()
    for page in pages(client, query):
        got += page.names
        peak = max(peak, process_memory(server.pid))
        if len(got) * 10 >= len(want) * len(marks):
            marks.append(process_cpu(server.pid))
    seconds = time.monotonic() - began
    print(f"listing: {what}: {len(got)} entries, {seconds:.1f} s; memory {before // MIB} MiB before, "
          f"peak {peak // MIB} MiB", flush=True)
    problems = []
    if len(want) >= ENOUGH_TO_MEASURE * PAGE:
        costs = [PAGE * 1e4 * (b - a) / len(want) for a, b in itertools.pairwise(marks)]
        print(f"listing: {what}: server CPU, ms a page in each tenth: {' '.join(f'{c:.2f}' for c in costs)}")
        if costs[-1] > 3 * statistics.median(costs):
            problems.append(f"{what}: a page of the last tenth costs {costs[-1]:.2f} ms")
    if got != want:
        first = next((i for i, (a, b) in enumerate(zip(got, want, strict=False)) if a != b), min(len(got), len(want)))
        problems.append(f"{what}: {len(got)} entries instead of {len(want)}, wrong from the one at {first}")
    if peak - before > MOST_GROWTH:
        problems.append(f"{what}: memory grew by {(peak - before) // MIB} MiB")
    return problems


def repeated(server: Server, what: str, queries: list[dict[str, str]], want: list[list[str]]) -> list[str]:
    """Single pages; what one costs is printed."""
    client = server.client()
    began = process_cpu(server.pid)
    got = [read_page(client, query).names for query in queries]
    cost = 1e3 * (process_cpu(server.pid) - began) / len(queries)
    print(f"listing: {what}: {len(queries)} pages, {cost:.2f} ms of server CPU each", flush=True)
    return [f"{what}: wrong answer to {q}" for q, g, w in zip(queries, got, want, strict=True) if g != w]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--keys", type=int, default=20_000, help="in one prefix; a tenth as many common prefixes")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    port = free_ports(1)[0]
    config = (f'[nfs]\nlisten = "127.0.0.1:{port}"\n\n[[export]]\npath = "/{BUCKET}"\nbucket = "{BUCKET}"\n'
              'clients = ["127.0.0.0/8"]\nsquash = "none"\n')
    environment = {"OUTCROP_SERVER_MEMORY_LIMIT": "512MiB"}
    with Server(options.outcropd, scratch=options.scratch, extra_config=config, environment=environment) as server:
        server.client().create_bucket(BUCKET)
        prefixes = options.keys // 10
        populate(port, options.keys, prefixes)
        keys = sorted(f"flat/{flat_name(i)}" for i in range(options.keys))
        common = [f"tree/{i:06}/" for i in range(prefixes)]
        for query in ({"prefix": "flat/"}, {"prefix": "tree/"}):  # caches are as full as they get
            for _ in pages(server.client(), query):
                pass
        problems = whole(server, "keys", {"prefix": "flat/"}, keys)
        problems += whole(server, "common prefixes", {"prefix": "tree/", "delimiter": "/"}, common)
        starts = range(0, len(keys), max(1, len(keys) // 200))
        problems += repeated(server, "pages from keys all over", [{"start-after": keys[i]} for i in starts],
                             [([*keys[i + 1:], *(c + "key" for c in common)])[:PAGE] for i in starts])
        problems += repeated(server, "the top, with everything below two common prefixes", [{"delimiter": "/"}] * 200,
                             [["flat/", "tree/"]] * 200)
    for problem in problems:
        print(f"listing: {problem}")
    print(f"listing: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
