"""What no client library shows: Expect handling, framing, pipelining and aws-chunked bodies, byte by byte."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
import zlib

from checksums import ALGORITHMS, FIXED, FIXED_DATA
from context import Context, equal, random_bytes
from s3client import EMPTY_SHA256, S3Client, presign, quote, sign_headers

BUCKET = "raw-http"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Wire:
    """One TCP connection with a read buffer."""

    def __init__(self, context: Context) -> None:
        self.server = context.server()
        self.host = f"127.0.0.1:{self.server.s3_port}"
        self.socket = socket.create_connection(("127.0.0.1", self.server.s3_port), timeout=10)
        self.buffer = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def head(
        self, method: str, key: str, headers: dict[str, str], payload_hash: str = EMPTY_SHA256,
        query: dict[str, str] | None = None,
    ) -> bytes:
        """A signed request head; the extra headers go on the wire as given."""
        path = f"/{BUCKET}/{quote(key, safe='/')}" if key else f"/{BUCKET}"
        signed = sign_headers(self.server.credentials(), method, path, query or {}, {"host": self.host, **headers},
                              payload_hash)
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in signed.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data: bytes) -> None:
        """Sends all."""
        self.socket.sendall(data)

    def _fill(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def read_exact(self, size: int) -> bytes:
        """So many bytes."""
        while len(self.buffer) < size:
            assert self._fill(), f"connection closed after {self.buffer!r}"
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One final response: status, headers, body."""
        while b"\r\n\r\n" not in self.buffer:
            assert self._fill(), f"connection closed in a head: {self.buffer!r}"
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        return status, headers, self.read_exact(int(headers.get("content-length", "0")))

    def closed(self) -> bool:
        """True when the server closes without another byte."""
        try:
            while self._fill():
                pass
        except TimeoutError:
            return False
        return self.buffer == b""


def _client(context: Context) -> S3Client:
    client = context.server().client()
    client.create_bucket(BUCKET)
    return client


def expect_continue(context: Context) -> None:
    """100 comes soon, with its reason, also for an empty body, and the connection stays usable."""
    client = _client(context)
    with Wire(context) as wire:
        for key, body in (("empty", b""), ("two", b"ab"), ("kilo", b"k" * 1000)):
            began = time.monotonic()
            wire.send(wire.head("PUT", key, {"content-length": str(len(body)), "expect": "100-continue"},
                                hashlib.sha256(body).hexdigest()))
            equal(f"interim answer for {key}", wire.read_exact(len(CONTINUE)), CONTINUE)
            waited = time.monotonic() - began
            assert waited < 0.5, f"100 Continue took {waited:.2f} s"
            wire.send(body)
            equal(f"status for {key}", wire.answer()[0], 200)
            equal(f"stored {key}", client.get(BUCKET, key).body, body)


def early_final_status_closes(context: Context) -> None:
    """Who may not put is told so before the body is asked for, and the connection ends, also for a small body."""
    _client(context)
    for size in (100_000, 3):
        body = b"z" * size
        with Wire(context) as wire:
            head = wire.head("PUT", "never", {"content-length": str(len(body)), "expect": "100-continue"},
                             hashlib.sha256(body).hexdigest())
            wire.send(head.replace(b"Signature=", b"Signature=0", 1))
            status, headers, _ = wire.answer()
            equal("status", status, 403)
            equal("connection header", headers.get("connection", "").lower(), "close")
            assert wire.closed(), "the connection stayed open although the body was never read"


def _ambiguous(host: str, signed: bytes) -> dict[str, bytes]:
    """Framings that two parsers can read in two ways; `signed` is a valid PUT head with content-length 5."""
    chunked = b"5\r\nhello\r\n0\r\n\r\n"
    host_line = f"host: {host}\r\n".encode()

    def with_length(text: bytes) -> bytes:
        return signed.replace(b"content-length: 5\r\n", text) + b"hello"

    def with_encoding(text: bytes) -> bytes:
        return signed.replace(b"content-length: 5\r\n", text) + chunked

    return {
        "TE gzip + CL": with_length(b"transfer-encoding: gzip\r\ncontent-length: 5\r\n"),
        "TE gzip only": with_encoding(b"transfer-encoding: gzip\r\n"),
        "TE xchunked": with_encoding(b"transfer-encoding: xchunked\r\n"),
        "TE chunked, chunked": with_encoding(b"transfer-encoding: chunked, chunked\r\n"),
        "TE chunked, identity": with_encoding(b"transfer-encoding: chunked, identity\r\n"),
        "TE chunked + CL": with_encoding(b"transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
        "HTTP/1.0 + chunked": with_encoding(b"transfer-encoding: chunked\r\n").replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        "CL 5, 5": with_length(b"content-length: 5, 5\r\n"),
        "CL twice": with_length(b"content-length: 5\r\ncontent-length: 5\r\n"),
        "CL +5": with_length(b"content-length: +5\r\n"),
        "CL -1": with_length(b"content-length: -1\r\n"),
        "CL 2^64+5": with_length(b"content-length: 18446744073709551621\r\n"),
        "space before colon": with_length(b"content-length : 5\r\n"),
        "duplicate Host": signed.replace(host_line, host_line * 2) + b"hello",
        "missing Host": signed.replace(host_line, b"") + b"hello",
        "obs-fold": with_length(b"content-length: 5\r\nx-folded: a\r\n b\r\n"),
        "8-bit target": signed.replace(b"/framing", b"/fram\xffing", 1) + b"hello",
        "absolute-form target": signed.replace(b"PUT /", f"PUT http://{host}/".encode(), 1) + b"hello",
        "NUL in a header": with_length(b"content-length: 5\r\nx-nul: a\0b\r\n"),
        "bare LF": with_length(b"content-length: 5\nx-a: b\r\n"),
    }


def ambiguous_framing(context: Context) -> None:
    """Every ambiguous framing is answered 400 (or 501/505), the connection ends, nothing is stored."""
    client = _client(context)
    with Wire(context) as wire:
        signed = wire.head("PUT", "framing", {"content-length": "5"}, hashlib.sha256(b"hello").hexdigest())
        cases = _ambiguous(wire.host, signed)
        wire.send(signed + b"hello")
        equal("the unchanged request", wire.answer()[0], 200)
    client.delete(BUCKET, "framing")
    wrong: list[str] = []
    for name, data in cases.items():
        with Wire(context) as wire:
            wire.send(data + b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n")
            status = wire.answer()[0]
            if status not in {400, 501, 505}:
                wrong.append(f"{name}: {status}")
            elif not wire.closed():
                wrong.append(f"{name}: connection stayed open or a second answer came")
        if client.head(BUCKET, "framing").status != 404:
            wrong.append(f"{name}: stored")
            client.delete(BUCKET, "framing")
    assert not wrong, "; ".join(wrong)


def pipelining(context: Context) -> None:
    """Two requests in one write get two answers in order."""
    client = _client(context)
    client.put(BUCKET, "first", b"1st")
    client.put(BUCKET, "second", b"2nd!")
    with Wire(context) as wire:
        wire.send(wire.head("GET", "first", {}) + wire.head("GET", "second", {}))
        equal("first answer", wire.answer()[2], b"1st")
        equal("second answer", wire.answer()[2], b"2nd!")


def _aws_chunks(data: bytes, size: int, trailer: str) -> bytes:
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return framed + b"0\r\n" + trailer.encode() + b"\r\n\r\n"


def _http_chunks(data: bytes, size: int) -> bytes:
    pieces = [data[i:i + size] for i in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def unsigned_trailer_inside_chunked(context: Context) -> None:
    """aws-chunked inside HTTP chunked, no Content-Length, trailing checksum: right is stored, wrong refused."""
    client = _client(context)
    data = random_bytes(200_000, 5)
    right = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    for checksum, want in ((right, 200), ("AAAAAA==", 400)):
        key = f"trailer-{want}"
        with Wire(context) as wire:
            wire.send(wire.head("PUT", key, {
                "transfer-encoding": "chunked", "content-encoding": "aws-chunked",
                "x-amz-trailer": "x-amz-checksum-crc32",
                "x-amz-decoded-content-length": str(len(data))}, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
            wire.send(_http_chunks(_aws_chunks(data, 65536, f"x-amz-checksum-crc32:{checksum}"), 10_007))
            equal(f"status of {key}", wire.answer()[0], want)
        equal(f"stored {key}", client.head(BUCKET, key).status, 200 if want == 200 else 404)
    stored = client.get(BUCKET, "trailer-200")
    equal("stored bytes", stored.body == data, True)
    equal("content-encoding", stored.headers.get("content-encoding"), None)


def chunked_without_a_length(context: Context) -> None:
    """An upload in HTTP chunks that names no length is stored as it comes; one that breaks off is not."""
    client = _client(context)
    for size in (0, 5, 3_000_000):
        data = random_bytes(size, 7)
        with Wire(context) as wire:
            wire.send(wire.head("PUT", "stream", {"transfer-encoding": "chunked"}, hashlib.sha256(data).hexdigest()))
            wire.send(_http_chunks(data, 50_021))
            equal(f"status of {size} bytes", wire.answer()[0], 200)
        equal(f"stored {size} bytes", client.get(BUCKET, "stream").body == data, True)
    with Wire(context) as wire:
        wire.send(wire.head("PUT", "stream", {"transfer-encoding": "chunked"}, "UNSIGNED-PAYLOAD"))
        wire.send(_http_chunks(b"x" * 1_000_000, 50_021)[:-5])  # without the last chunk
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        equal("after a broken upload", client.head(BUCKET, "stream").headers.get("content-length"), "3000000")


def checksum_headers(context: Context) -> None:
    """All checksums: verified, echoed by HEAD, left out of ranged answers."""
    client = _client(context)
    data = random_bytes(5000, 6)
    for name, compute in ALGORITHMS.items():
        header, key = f"x-amz-checksum-{name.lower()}", f"sum-{name}"
        equal(f"{name} right", client.put(BUCKET, key, data, {header: compute(data)}).status, 200)
        equal(f"{name} wrong", client.put(BUCKET, key + "-bad", data, {header: compute(b"other")}).status, 400)
        head = client.call("HEAD", BUCKET, key, headers={"x-amz-checksum-mode": "ENABLED"})
        equal(f"{name} echoed", head.headers.get(header), compute(data))
        part = client.call("GET", BUCKET, key, headers={"x-amz-checksum-mode": "ENABLED", "range": "bytes=0-9"})
        equal(f"{name} on a range", (part.status, part.headers.get(header)), (206, None))
    for name, value in FIXED.items():
        header, key = f"x-amz-checksum-{name.lower()}", f"sum-{name}"
        equal(f"{name} right", client.put(BUCKET, key, FIXED_DATA, {header: value}).status, 200)
        equal(f"{name} wrong", client.put(BUCKET, key, FIXED_DATA + b"0", {header: value}).status, 400)
        head = client.call("HEAD", BUCKET, key, headers={"x-amz-checksum-mode": "ENABLED"})
        equal(f"{name} echoed", head.headers.get(header), value)


def broken_off_upload(context: Context) -> None:
    """A body that ends short stores nothing and leaves the old object in place."""
    client = _client(context)
    client.put(BUCKET, "short", b"old")
    with Wire(context) as wire:
        wire.send(wire.head("PUT", "short", {"content-length": "100000"}, hashlib.sha256(b"x" * 100_000).hexdigest()))
        wire.send(b"x" * 50_000)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        equal("object after a broken upload", client.get(BUCKET, "short").body, b"old")


def double_credentials(context: Context) -> None:
    """Header and query credentials together are refused, and so is an unsigned request."""
    client = _client(context)
    client.put(BUCKET, "secret", b"x")
    server = context.server()
    host = f"127.0.0.1:{server.s3_port}"
    target = presign(server.credentials(), "GET", host, f"/{BUCKET}/secret", 60).split(host, 1)[1]
    with Wire(context) as wire:
        head = wire.head("GET", "secret", {}).split(b"\r\n", 1)[1]
        wire.send(f"GET {target} HTTP/1.1\r\n".encode() + head)
        equal("both credentials", wire.answer()[0], 400)
    with Wire(context) as wire:
        wire.send(f"GET /{BUCKET}/secret HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        equal("no credentials", wire.answer()[0], 403)


SCENARIOS = [
    expect_continue, early_final_status_closes, ambiguous_framing, pipelining, unsigned_trailer_inside_chunked,
    chunked_without_a_length, checksum_headers, broken_off_upload, double_credentials,
]
