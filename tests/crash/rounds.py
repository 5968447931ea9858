"""Rounds of load that end in a crash: runs the clients, and holds what the next start shows against the oracle."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterable

from load import BUCKET, LoadThread, Problems, Setting
from oracle import Oracle
from s3client import S3Client
from server import Server, ServerFailed
from values import Torn, ValueId, parse


class Rounds:
    """The clients and what they know, over all rounds of one run. `nfs_port`: some writes go through NFS."""

    def __init__(self, server: Server, oracle: Oracle, seed: int, clients: int, nfs_port: int | None = None,
                 keys: int = 24, small: bool = False) -> None:
        self.server = server
        self.oracle = oracle
        self.clients = clients
        self.problems = Problems()
        self.verified = 0
        self.slowest_start = 0.0
        self.random = random.Random(seed)
        self._nfs_port = nfs_port
        self._keys = keys
        self._small = small
        self._next_seq = [0] * clients

    def crash_under_load(self, note: str, pause: float, crash: Callable[[], None]) -> None:
        """Load from several threads for `pause` seconds; then `crash` ends the server, and with it the threads."""
        setting = Setting(self.oracle, self.problems, self._keys, self._nfs_port, self._small)
        threads = [LoadThread(n, self.random.getrandbits(64), self._next_seq[n], self.server.client(10), setting)
                   for n in range(self.clients)]
        for thread in threads:
            thread.start()
        time.sleep(pause)
        if not self.server.running:
            raise ServerFailed(f"the server died by itself:\n{self.server.log_tail()}")
        setting.dying.set()
        crash()
        setting.over.set()
        for thread in threads:
            thread.join(30)
            if thread.is_alive():
                raise ServerFailed(f"{thread.name} hangs although the server is gone")
            self._next_seq[thread.number] = thread.seq
        self.oracle.round_done(f"{note} after {pause:.3f} s")

    def restart(self, limit_seconds: float) -> None:
        """Starts again; too slow or not at all ends the run."""
        self.slowest_start = max(self.slowest_start, self.server.start(limit_seconds))

    def _value_of(self, client: S3Client, key: str) -> tuple[ValueId | None, str, bytes]:
        response = client.get(BUCKET, key)
        if response.status == 404 and response.code == "NoSuchKey":
            return None, "", b""
        if not response.ok:
            raise Torn(f"GET gives {response.status} {response.code}")
        name, value = parse(response.body)
        return self.oracle.found(key, name, value), response.etag, response.body

    def _verify_key(self, client: S3Client, key: str) -> None:
        allowed = self.oracle.keys[key].allowed()
        try:
            value, etag, body = self._value_of(client, key)
        except Torn as torn:
            self.problems.torn.append(f"{key}: {torn}")
            return
        matching = [op for op in allowed if op.value == value]
        if not matching:
            wanted = [f"{op.value} ({'acked' if op.acked_at is not None else 'in flight'})" for op in allowed]
            self.problems.lost.append(f"{key}: found {value}, allowed {wanted}")
        elif value is not None and "-" not in etag and etag != hashlib.md5(body).hexdigest():
            self.problems.torn.append(f"{key}: ETag {etag} is not of these bytes")
        self.oracle.settle(key, value)

    def verify(self, keys: Iterable[str]) -> None:
        """Reads every key back and holds it against the oracle; what was being moved is in one place."""
        client = self.server.client()
        for key in keys:
            self._verify_key(client, key)
            self.verified += 1
        client.close()
        self.problems.torn += self.oracle.half_moved()

    def verify_all(self) -> None:
        """Every key ever written, and the listing: exactly the keys that exist."""
        self.verify(sorted(self.oracle.keys))
        client = self.server.client()
        listed = [key for key, _ in client.list_keys(BUCKET, page=100)]
        self._remove_half_written(client, [key for key in listed if "/new-" in key])
        client.close()
        if listed != sorted(set(listed)):
            self.problems.torn.append("the listing is not sorted or has a key twice")
        seen = {key for key in listed if "/new-" not in key and not key.endswith("/")}
        present = self.oracle.present()
        self.problems.lost += [f"{key}: exists but is not listed" for key in sorted(present - seen)]
        self.problems.torn += [f"{key}: listed but does not exist" for key in sorted(seen - present)]

    def _remove_half_written(self, client: S3Client, keys: list[str]) -> None:
        """What NFS clients were still writing under a name for the time until it is whole."""
        for key in keys:
            response = client.get(BUCKET, key)
            if not response.ok:
                self.problems.torn.append(f"{key}: listed, and GET gives {response.status} {response.code}")
            client.delete(BUCKET, key)
