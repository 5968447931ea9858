"""One client thread of the crash tests: random puts, multipart uploads, copies, renames, deletes, reads and, if wanted,
files through NFS, until told to stop."""

from __future__ import annotations

import http.client
import random
import threading
from dataclasses import dataclass, field

from nfsclient import Nfs3, NfsFailed
from oracle import Op, Oracle
from s3client import Response, S3Client, S3Error
from values import Torn, ValueId, make, parse

BUCKET = "crash"
MIB = 1 << 20
SHARED_KEYS = 6
WRITE_BYTES = 128 << 10
EXISTS, NO_SPACE, JUKEBOX = 17, 28, 10008  # of nfsstat3
# Weights of the operations; multipart parts are 5 MiB, so they are rare.
OPERATIONS = {"small": 46, "medium": 14, "large": 5, "multipart": 2, "delete": 12, "copy": 7, "rename": 7, "file": 12,
              "read": 12}


@dataclass
class Problems:
    """What went wrong, by kind; `full` counts refusals for want of room, where a run may expect them."""

    full: int = 0
    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.lost) + len(self.torn) + len(self.refused)


@dataclass
class Setting:
    """What the clients of a round share. `dying` is set before the first thing of the crash happens: from then on
    errors are no answers. `over` ends a client that did not notice. `keys`: how many in a folder. `small`: the drives
    may be full, as after many short runs that left no time for compaction."""

    oracle: Oracle
    problems: Problems
    keys: int = 24
    nfs_port: int | None = None
    small: bool = False
    dying: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class LoadThread(threading.Thread):
    """Writes to its own keys and to a few keys that all clients share; never retries."""

    def __init__(self, number: int, seed: int, first_seq: int, client: S3Client, setting: Setting) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self.number = number
        self.seq = first_seq
        self._random = random.Random(seed)
        self._client = client
        self._setting = setting
        self._oracle = setting.oracle
        self._problems = setting.problems
        self._files: Files | None = None

    def run(self) -> None:
        names, weights = list(OPERATIONS), list(OPERATIONS.values())
        while not self._setting.over.is_set():
            operation = self._random.choices(names, weights)[0]
            try:
                getattr(self, f"do_{operation}")(self._key())
            except (OSError, http.client.HTTPException):
                return  # the kill: the outcome of this operation is unknown
            except NfsFailed as failed:
                if failed.status < 0:
                    return
                if failed.status == NO_SPACE and self._setting.small:
                    self._problems.full += 1
                elif failed.status != JUKEBOX and not self._setting.dying.is_set():
                    self._problems.refused.append(f"NFS: {failed}")
            except Torn as torn:
                self._problems.torn.append(f"while serving: {torn}")
        self._client.close()

    def _key(self) -> str:
        if self._random.random() < 0.15:
            return f"shared/{self._random.randrange(SHARED_KEYS)}"
        return self._private_key()

    def _private_key(self) -> str:
        if self._setting.nfs_port and self._random.random() < 0.2:
            return self._file_key()
        return f"c{self.number}/{self._random.randrange(8)}/k{self._random.randrange(self._setting.keys)}"

    def _file_key(self) -> str:
        return f"f{self.number}/k{self._random.randrange(self._setting.keys)}"

    def _next(self) -> ValueId:
        self.seq += 1
        return ValueId(self.number, self.seq)

    def _finish(self, key: str, op: Op, response: Response, etag: bool = True) -> None:
        if response.ok:
            self._oracle.ack(key, op, response.etag if etag else "")
        else:
            self._note(key, response)

    def _note(self, what: str, response: Response) -> None:
        """An error is a problem, unless it says "later" or the crash has begun: then the outcome is unknown."""
        if response.status == 507 and self._setting.small:
            self._problems.full += 1
        elif response.status != 503 and not (response.status >= 500 and self._setting.dying.is_set()):
            self._problems.refused.append(f"{what}: {response.status} {response.code} {response.body[:200]!r}")

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
        source = self._private_key()
        value = self._oracle.settled_value(source)
        if value is None or source == key:
            return
        op = self._oracle.begin(key, value)
        self._finish(key, op, self._client.copy(BUCKET, source, key), etag=False)

    def do_rename(self, _: str) -> None:
        source, target = self._private_key(), self._private_key()
        value = self._oracle.settled_value(source)
        if value is None or source == target:
            return
        move = self._oracle.begin_move(source, target, value)
        response = self._client.rename(BUCKET, source, target)
        if response.ok:
            self._oracle.ack_move(move)
        else:
            self._note(f"{source} to {target}", response)

    def do_file(self, _: str) -> None:
        """A file written under another name, made safe, and renamed over the key, as editors do."""
        if not self._setting.nfs_port:
            return
        if self._files is None:
            self._files = Files(Nfs3(self._setting.nfs_port, f"/{BUCKET}"), f"f{self.number}")
        key, value = self._file_key(), self._next()
        body = make(key, value, self._random.choice([100, 4096, 30_000, 300_000]))
        op = self._oracle.begin(key, value)
        self._files.replace(f"new-{value.seq}", key.split("/")[1], body, sync=self._random.random() < 0.5)
        self._oracle.ack(key, op)

    def do_read(self, key: str) -> None:
        response = self._client.get(BUCKET, key)
        if response.ok:
            parse(response.body)
        elif response.status != 404:
            self._note(f"GET {key}", response)


class Files:
    """One directory of the export."""

    def __init__(self, nfs: Nfs3, name: str) -> None:
        self._nfs = nfs
        try:
            self._directory = nfs.mkdir(nfs.root, name)
        except NfsFailed as failed:
            if failed.status != EXISTS:
                raise
            self._directory = nfs.lookup(nfs.root, name)

    def replace(self, temporary: str, name: str, body: bytes, sync: bool) -> None:
        """Writes `temporary`, safe by each write or by a COMMIT in the end, and renames it to `name`."""
        handle = self._nfs.create(self._directory, temporary)
        pieces = range(0, len(body), WRITE_BYTES)
        verifiers = {self._nfs.write(handle, at, body[at:at + WRITE_BYTES], sync) for at in pieces}
        if not sync:
            verifiers.add(self._nfs.commit(handle))
        if len(verifiers) != 1:
            raise NfsFailed("the write verifier changed", 0)
        self._nfs.rename(self._directory, temporary, name)
