#!/usr/bin/env python3
"""2,000 open connections, hundreds of them in the middle of an upload or download that crawls: the server stays below
its memory_limit, goes on serving others, and stores nothing of what was broken off."""

from __future__ import annotations

import argparse
import resource
import select
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from s3client import Credentials, quote, sign_headers  # noqa: E402
from server import Server  # noqa: E402

BUCKET = "limits"
MIB = 1 << 20
UPLOAD_BYTES = 16 * MIB
DOWNLOAD_BYTES = 32 * MIB
PIECE = 16 << 10
STARTS = 5


def head(credentials: Credentials, port: int, method: str, key: str, length: int = 0) -> bytes:
    """A signed request head; the body may be anything."""
    path = f"/{BUCKET}/{quote(key)}"
    headers = sign_headers(credentials, method, path, {}, {"host": f"127.0.0.1:{port}"}, "UNSIGNED-PAYLOAD")
    if method == "PUT":
        headers["content-length"] = str(length)
    rows = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{rows}\r\n".encode()


def memory(pid: int, row: str) -> int:
    """VmRSS or VmHWM in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(row + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {row} in /proc/{pid}/status")


class Crowd:
    """The connections of one kind each: idle after a request, uploads and downloads that crawl."""

    def __init__(self, server: Server, idle: int, uploads: int, downloads: int) -> None:
        self.server = server
        self.credentials = server.credentials()
        self.sockets: list[socket.socket] = []
        self.uploads: list[socket.socket] = []
        self.downloads: list[socket.socket] = []
        for i in range(max(uploads, downloads)):  # mixed, as they stand in one line for memory
            if i < uploads:
                request = head(self.credentials, server.s3_port, "PUT", f"up{i}", UPLOAD_BYTES)
                self.uploads.append(self._open(request))
            if i < downloads:
                request = head(self.credentials, server.s3_port, "GET", "large")
                self.downloads.append(self._open(request, small_window=True))
        self.idle = [self._open(head(self.credentials, server.s3_port, "GET", "small")) for _ in range(idle)]
        self.sent = [0] * uploads
        self.received = [0] * downloads

    def _open(self, request: bytes, small_window: bool = False) -> socket.socket:
        one = socket.socket()
        if small_window:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        one.settimeout(60)
        one.connect(("127.0.0.1", self.server.s3_port))
        one.sendall(request)
        self.sockets.append(one)
        return one

    def crawl(self, piece: int) -> None:
        """Every upload sends and every download reads up to `piece` bytes, if the server lets it now."""
        block = b"x" * piece
        for i, one in enumerate(self.uploads):
            one.setblocking(False)
            try:
                self.sent[i] += one.send(block[:UPLOAD_BYTES - 1 - self.sent[i]])
            except BlockingIOError:
                pass
        for i, one in enumerate(self.downloads):
            one.setblocking(False)
            try:
                self.received[i] += len(one.recv(piece))
            except BlockingIOError:
                pass

    def open_count(self) -> int:
        """Connections that the server has not closed."""
        return sum(1 for one in self.sockets if one.fileno() >= 0 and not self._hung_up(one))

    @staticmethod
    def _hung_up(one: socket.socket) -> bool:
        watch = select.poll()
        watch.register(one, select.POLLRDHUP)
        return bool(watch.poll(0))

    def close(self) -> None:
        """All of them at once, uploads in the middle of their bodies."""
        for one in self.sockets:
            one.close()


def run(server: Server, connections: int, limit: int, seconds: int) -> list[str]:
    """The problems found."""
    problems: list[str] = []
    client = server.client(60)
    client.create_bucket(BUCKET)
    client.checked("put", client.put(BUCKET, "small", b"s" * 4096))
    client.checked("put", client.put(BUCKET, "large", b"l" * DOWNLOAD_BYTES))
    before = memory(server.pid, "VmRSS")
    uploads = downloads = connections * 3 // 20
    crowd = Crowd(server, connections - uploads - downloads, uploads, downloads)
    deadline = time.monotonic() + seconds
    served = 0
    while time.monotonic() < deadline:
        crowd.crawl(PIECE)
        answer = client.get(BUCKET, "small")
        served += answer.ok
        if not answer.ok and answer.code != "SlowDown":
            problems.append(f"a small GET beside the crowd: {answer.status} {answer.code}")
    stayed = crowd.open_count()
    during, peak = memory(server.pid, "VmRSS"), memory(server.pid, "VmHWM")
    print(f"connections: {stayed} of {connections} open, {uploads} uploads sent {sum(crowd.sent) // MIB} MiB, "
          f"{downloads} downloads got {sum(crowd.received) // MIB} MiB, {served} small GETs beside them; "
          f"memory {before // MIB} MiB before, {during // MIB} MiB during, peak {peak // MIB} MiB, "
          f"limit {limit // MIB} MiB", flush=True)
    if peak >= limit:
        problems.append(f"peak memory {peak} is not below the limit {limit}")
    if stayed < connections:
        problems.append(f"the server closed {connections - stayed} connections")
    if not served:
        problems.append("nobody else was served")
    # Most of the crowd stands in line for a share of the memory; those who have one must move.
    if not any(crowd.sent) or not any(crowd.received):
        problems.append("no upload or no download ever moved")
    crowd.close()
    left = [key for key, _ in server.client(60).list_keys(BUCKET)]
    if left != ["large", "small"]:
        problems.append(f"stored of broken-off uploads: {left}")
    return problems


def check_ready(server: Server) -> list[str]:
    """Ready means that S3 answers and the keys are there, at the very first 200."""
    for _ in range(STARTS):
        server.kill()
        (server.state / "credentials").unlink()
        server.launch()
        while server.health() != 200:
            if not server.running:
                return ["the server ended"]
        try:
            answer = server.client().call("GET")
        except OSError as error:
            return [f"ready, but S3 does not answer: {error}"]
        if not answer.ok:
            return [f"ready, but listing buckets says {answer.status} {answer.code}"]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--limit-mib", type=int, default=512)
    parser.add_argument("--seconds", type=int, default=20, help="how long the crowd crawls")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < options.connections + 100:
        print(f"connections: only {most} file descriptors are allowed (ulimit -Hn)")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    environment = {"OUTCROP_SERVER_MEMORY_LIMIT": f"{options.limit_mib}MiB",
                   "OUTCROP_SERVER_MAX_CONNECTIONS_PER_ADDRESS": "0"}
    with Server(options.outcropd, scratch=options.scratch, environment=environment) as server:
        problems = run(server, options.connections, options.limit_mib * MIB, options.seconds)
        problems += check_ready(server)
    for problem in problems:
        print(f"connections: {problem}")
    print(f"connections: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
