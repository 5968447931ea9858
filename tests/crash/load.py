"""One client thread of the crash test: random puts, multipart uploads, copies, deletes and reads until told to stop."""

from __future__ import annotations

import http.client
import random
import threading
from dataclasses import dataclass, field

from oracle import Op, Oracle
from s3client import Response, S3Client, S3Error
from values import Torn, ValueId, make, parse

BUCKET = "crash"
MIB = 1 << 20
PRIVATE_KEYS = 24
SHARED_KEYS = 6
# Weights of the operations; multipart parts are 5 MiB, so they are rare.
OPERATIONS = {"small": 46, "medium": 14, "large": 5, "multipart": 2, "delete": 12, "copy": 9, "read": 12}


@dataclass
class Problems:
    """What went wrong, by kind."""

    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.lost) + len(self.torn) + len(self.refused)


class LoadThread(threading.Thread):
    """Writes to its own keys and to a few keys that all clients share; never retries."""

    def __init__(
        self, number: int, seed: int, first_seq: int, client: S3Client, oracle: Oracle,
        problems: Problems, stop: threading.Event,
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number = number
        self.seq = first_seq
        self._random = random.Random(seed)
        self._client = client
        self._oracle = oracle
        self._problems = problems
        self._halt = stop

    def run(self) -> None:
        names, weights = list(OPERATIONS), list(OPERATIONS.values())
        while not self._halt.is_set():
            operation = self._random.choices(names, weights)[0]
            try:
                getattr(self, f"do_{operation}")(self._key())
            except (OSError, http.client.HTTPException):
                return  # the kill: the outcome of this operation is unknown
            except Torn as torn:
                self._problems.torn.append(f"while serving: {torn}")
        self._client.close()

    def _key(self) -> str:
        if self._random.random() < 0.15:
            return f"shared/{self._random.randrange(SHARED_KEYS)}"
        return f"c{self.number}/{self._random.randrange(8)}/k{self._random.randrange(PRIVATE_KEYS)}"

    def _next(self) -> ValueId:
        self.seq += 1
        return ValueId(self.number, self.seq)

    def _finish(self, key: str, op: Op, response: Response, etag: bool = True) -> None:
        if response.ok:
            self._oracle.ack(key, op, response.etag if etag else "")
        elif response.status != 503:
            self._problems.refused.append(f"{key}: {response.status} {response.code} {response.body[:200]!r}")

    def _put(self, key: str, length: int) -> None:
        value = self._next()
        body = make(key, value, length)
        op = self._oracle.begin(key, value)
        self._finish(key, op, self._client.put(BUCKET, key, body))

    def do_small(self, key: str) -> None:
        self._put(key, self._random.choice([100, 700, 4096, 16_000]))

    def do_medium(self, key: str) -> None:
        self._put(key, self._random.randrange(60_000, 300_000))

    def do_large(self, key: str) -> None:
        self._put(key, self._random.randrange(MIB, 4 * MIB))

    def do_multipart(self, key: str) -> None:
        value = self._next()
        body = make(key, value, 5 * MIB + self._random.randrange(200, 300_000))
        op = self._oracle.begin(key, value)
        try:
            self._finish(key, op, self._client.put_multipart(BUCKET, key, [body[:5 * MIB], body[5 * MIB:]]), etag=False)
        except S3Error as error:
            self._finish(key, op, error.response)

    def do_delete(self, key: str) -> None:
        op = self._oracle.begin(key, None)
        self._finish(key, op, self._client.delete(BUCKET, key), etag=False)

    def do_copy(self, key: str) -> None:
        source = f"c{self.number}/{self._random.randrange(8)}/k{self._random.randrange(PRIVATE_KEYS)}"
        value = self._oracle.settled_value(source)
        if value is None or source == key:
            return
        op = self._oracle.begin(key, value)
        self._finish(key, op, self._client.copy(BUCKET, source, key), etag=False)

    def do_read(self, key: str) -> None:
        response = self._client.get(BUCKET, key)
        if response.ok:
            parse(response.body)
        elif response.status not in {404, 503}:
            self._problems.refused.append(f"GET {key}: {response.status} {response.code}")
