"""A small raw NFS client for tests: ONC RPC over TCP with many calls in flight, NFSv3, and compounds of NFSv4."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

NFS, MOUNT = 100003, 100005
LAST_FRAGMENT = 0x80000000

u32 = struct.Struct(">I").pack
u64 = struct.Struct(">Q").pack


_IO_BYTES = 128 << 10


def nfs_config(port: int, bucket: str) -> str:
    """What a server's configuration needs to export a bucket to this machine, at /BUCKET."""
    return (f'[nfs]\nlisten = "127.0.0.1:{port}"\n\n[[export]]\npath = "/{bucket}"\nbucket = "{bucket}"\n'
            'clients = ["127.0.0.0/8"]\nsquash = "none"\n')


class NfsFailed(Exception):
    """The server answered with an error, or not at all."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what}: status {status}")
        self.status = status


def opaque(data: bytes) -> bytes:
    """Length, bytes, padding."""
    return u32(len(data)) + data + bytes(-len(data) % 4)


class Reader:
    """Takes XDR apart."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def u32(self) -> int:
        self.at += 4
        return int.from_bytes(self.data[self.at - 4:self.at], "big")

    def u64(self) -> int:
        self.at += 8
        return int.from_bytes(self.data[self.at - 8:self.at], "big")

    def fixed(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count:self.at]

    def opaque(self) -> bytes:
        count = self.u32()
        data = self.fixed(count)
        self.at += -count % 4
        return data


class Rpc:
    """One connection. Calls may be sent ahead of their replies, which come in any order."""

    def __init__(self, port: int, timeout_seconds: float = 60, machine: bytes = b"test", uid: int = 0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        credential = u32(0) + opaque(machine) + u32(uid) + u32(uid) + u32(0)
        self._auth = u32(1) + opaque(credential) + u32(0) + u32(0)
        self._xid = int.from_bytes(os.urandom(4), "big")
        self._pending = b""
        self._replies: dict[int, bytes] = {}

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def encode(self, program: int, version: int, procedure: int, arguments: bytes) -> tuple[int, bytes]:
        """The xid and the record of a call."""
        self._xid = (self._xid + 1) & 0xFFFFFFFF
        head = struct.pack(">6I", self._xid, 0, 2, program, version, procedure) + self._auth
        return self._xid, u32(LAST_FRAGMENT | len(head) + len(arguments)) + head + arguments

    def receive(self) -> tuple[int, bytes]:
        """The next reply: xid and results. Raises NfsFailed when the server closes or does not accept."""
        while len(self._pending) < 4 or len(self._pending) < 4 + (self._length()):
            more = self.socket.recv(4 << 20)
            if not more:
                raise NfsFailed("connection closed", -1)
            self._pending += more
        length = self._length()
        record, self._pending = self._pending[4:4 + length], self._pending[4 + length:]
        xid, kind, denied, _, verifier = struct.unpack_from(">5I", record)
        at = 20 + (verifier + 3) // 4 * 4
        accepted = int.from_bytes(record[at:at + 4], "big")
        if kind != 1 or denied or accepted:
            raise NfsFailed("RPC", accepted or denied)
        return xid, record[at + 4:]

    def _length(self) -> int:
        return int.from_bytes(self._pending[:4], "big") & ~LAST_FRAGMENT

    def call(self, program: int, version: int, procedure: int, arguments: bytes = b"") -> Reader:
        """One call and its results."""
        xid, record = self.encode(program, version, procedure, arguments)
        self.socket.sendall(record)
        while True:
            got, results = self.receive()
            if got == xid:
                return Reader(results)

    def call_many(
        self, program: int, version: int, procedure: int, calls: Iterable[bytes], depth: int = 100,
    ) -> Iterator[bytes]:
        """Results of many calls in the order in which they come, with up to `depth` in flight."""
        flying = 0
        batch: list[bytes] = []
        for arguments in calls:
            batch.append(self.encode(program, version, procedure, arguments)[1])
            flying += 1
            if flying >= depth:
                self.socket.sendall(b"".join(batch))
                batch.clear()
                # Half of them, and the line never runs dry.
                while flying > depth // 2:
                    yield self.receive()[1]
                    flying -= 1
        self.socket.sendall(b"".join(batch))
        for _ in range(flying):
            yield self.receive()[1]


def ok(reader: Reader, what: str) -> Reader:
    """Takes the status and raises unless it is 0."""
    status = reader.u32()
    if status:
        raise NfsFailed(what, status)
    return reader


class Nfs3:
    """NFSv3 and MOUNT on one connection."""

    def __init__(self, port: int, export: str) -> None:
        self.rpc = Rpc(port)
        self.root = ok(self.rpc.call(MOUNT, 3, 1, opaque(export.encode())), "MNT").opaque()

    def call(self, procedure: int, arguments: bytes) -> Reader:
        """Results behind the status."""
        return ok(self.rpc.call(NFS, 3, procedure, arguments), f"NFSv3 procedure {procedure}")

    def lookup(self, directory: bytes, name: str) -> bytes:
        """The handle of a name."""
        return self.call(3, opaque(directory) + opaque(name.encode())).opaque()

    def mkdir(self, directory: bytes, name: str) -> bytes:
        """A new directory's handle."""
        reply = self.call(9, self.mkdir_arguments(directory, name))
        reply.u32()
        return reply.opaque()

    def create(self, directory: bytes, name: str) -> bytes:
        """The handle of a file that is made if it is missing."""
        reply = self.call(8, self.create_arguments(directory, name))
        reply.u32()
        return reply.opaque()

    @staticmethod
    def _skip_change(reply: Reader) -> None:
        """wcc_data."""
        if reply.u32():
            reply.fixed(24)
        if reply.u32():
            reply.fixed(84)

    def write(self, handle: bytes, offset: int, data: bytes, sync: bool) -> bytes:
        """WRITE, FILE_SYNC or UNSTABLE; the verifier. Less than all of it written raises NfsFailed."""
        arguments = opaque(handle) + u64(offset) + u32(len(data)) + u32(2 if sync else 0) + opaque(data)
        reply = self.call(7, arguments)
        self._skip_change(reply)
        if (count := reply.u32()) != len(data):
            raise NfsFailed(f"WRITE took {count} of {len(data)} bytes", 0)
        if (stable := reply.u32()) < (2 if sync else 0):
            raise NfsFailed(f"WRITE with FILE_SYNC was done with {stable}", 0)
        return reply.fixed(8)

    def commit(self, handle: bytes) -> bytes:
        """COMMIT of the whole file; the verifier."""
        reply = self.call(21, opaque(handle) + u64(0) + u32(0))
        self._skip_change(reply)
        return reply.fixed(8)

    @staticmethod
    def create_arguments(directory: bytes, name: str) -> bytes:
        """Of CREATE, unchecked, no attributes."""
        return opaque(directory) + opaque(name.encode()) + u32(0) + bytes(24)

    @staticmethod
    def mkdir_arguments(directory: bytes, name: str) -> bytes:
        """Of MKDIR, no attributes."""
        return opaque(directory) + opaque(name.encode()) + bytes(24)

    @staticmethod
    def remove_arguments(directory: bytes, name: str) -> bytes:
        """Of REMOVE."""
        return opaque(directory) + opaque(name.encode())

    def rename(self, directory: bytes, old: str, new: str) -> None:
        """RENAME within one directory."""
        self.call(14, opaque(directory) + opaque(old.encode()) + opaque(directory) + opaque(new.encode()))

    def write_file(self, directory: bytes, name: str, body: bytes) -> None:
        """CREATE, unstable WRITEs, COMMIT."""
        reply = self.call(8, self.create_arguments(directory, name))
        reply.u32()
        handle = reply.opaque()
        for at in range(0, len(body), _IO_BYTES):
            piece = body[at:at + _IO_BYTES]
            self.call(7, opaque(handle) + u64(at) + u32(len(piece)) + u32(0) + opaque(piece))
        self.call(21, opaque(handle) + u64(0) + u32(0))

    def read_file(self, handle: bytes) -> bytes:
        """READs to the end."""
        body = b""
        while True:
            reply = self.call(6, opaque(handle) + u64(len(body)) + u32(_IO_BYTES))
            if reply.u32():
                reply.fixed(84)
            reply.u32()
            end = reply.u32()
            body += reply.opaque()
            if end:
                return body

    def read_page(self, directory: bytes, cookie: int, max_bytes: int = 64 << 10) -> tuple[list[tuple[str, int]], bool]:
        """READDIRPLUS: names with their cookies, and whether that was the end."""
        reply = self.call(17, opaque(directory) + u64(cookie) + bytes(8) + u32(max_bytes) + u32(max_bytes))
        if reply.u32():
            reply.fixed(84)
        reply.fixed(8)
        entries = []
        while reply.u32():
            reply.fixed(8)
            name = reply.opaque().decode()
            entries.append((name, reply.u64()))
            if reply.u32():
                reply.fixed(84)
            if reply.u32():
                reply.opaque()
        return [e for e in entries if e[0] not in (".", "..")], bool(reply.u32())


# Operations of NFSv4 by number, and their arguments.
def op(number: int, arguments: bytes = b"") -> bytes:
    """One operation."""
    return u32(number) + arguments


PUTROOTFH = op(24)
GETFH = op(10)


def putfh(handle: bytes) -> bytes:
    """PUTFH."""
    return op(22, opaque(handle))


def lookup(name: str) -> bytes:
    """LOOKUP."""
    return op(15, opaque(name.encode()))


def open_create(client: int, owner: bytes, name: str) -> bytes:
    """OPEN for reading and writing, created if missing; by name in the current directory."""
    return op(18, u32(0) + u32(3) + u32(0) + u64(client) + opaque(owner) + u32(1) + u32(0) + u32(0) + opaque(b"")
              + u32(0) + opaque(name.encode()))


def bitmap(attributes: Iterable[int]) -> bytes:
    """bitmap4."""
    words = [0, 0, 0]
    for a in attributes:
        words[a // 32] |= 1 << a % 32
    return u32(3) + b"".join(u32(w) for w in words)


@dataclass
class Reply4:
    """A compound's: status, how many operations were served, and what follows the count."""

    status: int
    count: int
    results: Reader


@dataclass
class Session:
    """NFSv4.1 or 4.2 with one slot. What goes wrong in making it raises NfsFailed."""

    port: int
    owner: bytes
    minor: int = 1
    rpc: Rpc = field(init=False)
    client: int = field(init=False, default=0)
    session: bytes = field(init=False, default=b"")
    sequence: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.rpc = Rpc(self.port)
        self.become(self.owner)

    def become(self, owner: bytes, slots: int = 1, cached: int = 4096, verifier: bytes = bytes(8)) -> None:
        """EXCHANGE_ID, CREATE_SESSION, RECLAIM_COMPLETE; a further time as another client on the same connection, or
        with another verifier as one that was restarted and lost its state."""
        self.owner = owner
        reply = self.checked(op(42, verifier + opaque(self.owner) + u32(0) + u32(0) + u32(0)))
        self.client = reply.u64()
        self.session = self.create_session(reply.u32(), slots, cached)
        self.sequence = 0
        self.run([op(58, u32(0))])

    def create_session(self, number: int, slots: int, cached: int) -> bytes:
        """CREATE_SESSION of the client id; the session id."""
        channel = struct.pack(">7I", 0, 1 << 20, 1 << 20, cached, 64, slots, 0)
        back = struct.pack(">7I", 0, 4096, 4096, 0, 2, 1, 0)
        security = u32(1) + u32(0)
        arguments = u64(self.client) + u32(number) + u32(0) + channel + back + u32(0x40000000) + security
        return self.checked(op(43, arguments)).fixed(16)

    def send(self, operations: list[bytes], minor: int | None = None, count: int | None = None) -> Reply4:
        """A compound as it is given."""
        arguments = opaque(b"") + u32(self.minor if minor is None else minor) + u32(len(operations) if count is None else count) + b"".join(operations)
        reply = self.rpc.call(NFS, 4, 1, arguments)
        status = reply.u32()
        reply.opaque()
        return Reply4(status, reply.u32(), reply)

    def checked(self, operation: bytes) -> Reader:
        """A lone operation that must succeed: behind its number and status."""
        reply = self.send([operation])
        if reply.status:
            raise NfsFailed(f"operation {int.from_bytes(operation[:4], 'big')}", reply.status)
        reply.results.fixed(8)
        return reply.results

    def sequence_op(self) -> bytes:
        """The next SEQUENCE of slot 0."""
        self.sequence += 1
        return op(53, self.session + u32(self.sequence) + u32(0) + u32(0) + u32(0))

    def run(self, operations: list[bytes]) -> Reply4:
        """A compound behind SEQUENCE; the results start behind that of SEQUENCE."""
        reply = self.send([self.sequence_op(), *operations])
        if reply.count > 1 or reply.status == 0:
            reply.results.fixed(8 + 16 + 5 * 4)
        return reply

    def walk(self, *names: str) -> bytes:
        """The handle of a path from the pseudo root."""
        reply = self.run([PUTROOTFH, *(lookup(n) for n in names), GETFH])
        if reply.status:
            raise NfsFailed("/".join(names), reply.status)
        reply.results.fixed(8 * (len(names) + 2))
        return reply.results.opaque()

    def open(self, directory: bytes, name: str, owner: bytes = b"o") -> tuple[bytes, bytes]:
        """Stateid and handle of a file, created if missing."""
        reply = self.run([putfh(directory), open_create(self.client, owner, name), GETFH])
        if reply.status:
            raise NfsFailed(f"OPEN {name}", reply.status)
        at = reply.results
        at.fixed(16)
        stateid = at.fixed(16)
        at.fixed(20 + 4)
        at.fixed(4 * at.u32())
        at.fixed(4 + 8)
        return stateid, at.opaque()

    def read_page(
        self, directory: bytes, cookie: int, attributes: Iterable[int], max_bytes: int = 64 << 10,
    ) -> tuple[list[tuple[str, int]], bool]:
        """READDIR: names with their cookies, and whether that was the end."""
        arguments = u64(cookie) + bytes(8) + u32(max_bytes) + u32(max_bytes) + bitmap(attributes)
        reply = self.run([putfh(directory), op(26, arguments)])
        if reply.status:
            raise NfsFailed("READDIR", reply.status)
        at = reply.results
        at.fixed(16 + 8)
        entries = []
        while at.u32():
            cookie = at.u64()
            entries.append((at.opaque().decode(), cookie))
            at.fixed(4 * at.u32())
            at.opaque()
        return entries, bool(at.u32())


def walk_directory(
    read: Callable[[int], tuple[list[tuple[str, int]], bool]], between: Callable[[int], None] | None = None,
) -> Iterator[list[str]]:
    """The names of every page; `between` is called with the number of the page that was just read."""
    cookie, page = 0, 0
    while True:
        entries, end = read(cookie)
        yield [name for name, _ in entries]
        if end:
            return
        if not entries:
            raise NfsFailed("an empty page that is not the last", 0)
        cookie = entries[-1][1]
        if between:
            between(page)
        page += 1
