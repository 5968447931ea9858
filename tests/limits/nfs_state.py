#!/usr/bin/env python3
"""Clients that want all of the server's memory over NFS: compounds of 10,000 operations, thousands of clients and
sessions, a million locks and opens, records that are begun and not ended or claim gigabytes, replies that nobody reads,
xattrs without end. The server stays below its memory_limit, refuses with the protocol's errors, and gives everybody else
right answers meanwhile."""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from nfsclient import (  # noqa: E402
    LAST_FRAGMENT, NFS, PUTROOTFH, Nfs3, NfsFailed, Rpc, Session, bitmap, op, opaque, open_create, putfh, u32, u64,
)
from server import Server, free_ports  # noqa: E402

BUCKET = "limits"
MIB = 1 << 20
DELAY, NOSPC, RESOURCE, XATTR2BIG, TOO_MANY_OPS, TOO_BIG = 10008, 28, 10018, 10096, 10070, 10065
SAVEFH, RESTOREFH, LOCK = 32, 31, 12
OPS = 60  # of a compound besides SEQUENCE and PUTFH


def peak_memory(pid: int) -> int:
    """VmHWM in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


class Bystander:
    """A well-behaved client: writes, reads back, lists; over NFS and S3."""

    def __init__(self, server: Server, port: int) -> None:
        self.session = Session(port, b"bystander")
        self.s3 = server.client(60)
        self.directory = self.session.walk(BUCKET)
        self.turns = 0

    def turn(self) -> list[str]:
        """What went wrong."""
        self.turns += 1
        body = f"turn {self.turns} ".encode() * 1000
        stateid, handle = self.session.open(self.directory, "bystander")
        write = op(38, stateid + u64(0) + u32(2) + opaque(body))
        lock = op(LOCK, u32(2) + u32(0) + u64(0) + u64(10) + u32(1) + u32(0) + stateid + u32(0)
                  + u64(self.session.client) + opaque(b"l%d" % self.turns))
        close = op(4, u32(0) + stateid)
        written = self.session.run([putfh(handle), write, op(25, stateid + u64(0) + u32(1 << 20))])
        problems = []
        if written.status or body not in written.results.data:
            problems.append(f"turn {self.turns}: WRITE and READ answer {written.status}")
        locked = self.session.run([putfh(handle), lock])
        if locked.status:
            problems.append(f"turn {self.turns}: LOCK answers {locked.status}")
        else:
            locked.results.fixed(16)
            unlock = op(14, u32(2) + u32(0) + locked.results.fixed(16) + u64(0) + u64(10))
            if status := self.session.run([putfh(handle), unlock]).status:
                problems.append(f"turn {self.turns}: LOCKU answers {status}")
        if status := self.session.run([putfh(handle), close]).status:
            problems.append(f"turn {self.turns}: CLOSE answers {status}")
        names = [name for name, _ in self.session.read_page(self.directory, 0, [1, 4])[0]]
        if "bystander" not in names:
            problems.append(f"turn {self.turns}: READDIR shows {names[:5]}")
        got = self.s3.get(BUCKET, "bystander")
        if got.body != body:
            problems.append(f"turn {self.turns}: S3 reads {got.status} {got.body[:20]!r}")
        return problems


class Attack:
    """What all attacks need."""

    def __init__(self, server: Server, port: int, bystander: Bystander, scale: int) -> None:
        self.server, self.port, self.bystander, self.scale = server, port, bystander, scale
        self.problems: list[str] = []

    def expect(self, what: str, statuses: Counter[int], allowed: set[int], required: set[int]) -> None:
        """Only these statuses came, 0 is success, and of the required ones each."""
        print(f"nfs_state: {what}: {dict(sorted(statuses.items()))}; peak "
              f"{peak_memory(self.server.pid) // MIB} MiB", flush=True)
        self.problems += [f"{what}: status {s}, {n} times" for s, n in statuses.items() if s not in allowed]
        self.problems += [f"{what}: never status {s}" for s in sorted(required) if not statuses[s]]

    def compounds(self) -> None:
        """10,000 operations, or as many as a count can say."""
        with_session = Session(self.port, b"compounds", minor=2)
        statuses: Counter[int] = Counter()
        for minor in (0, 1, 2):
            for operation in (PUTROOTFH, op(9, bitmap([0, 1, 3, 4, 19, 20]))):
                many = [PUTROOTFH, *[operation] * 10_000]
                for count in (None, 0xFFFFFFFF):
                    head = [with_session.sequence_op()] if minor else []
                    reply = with_session.send([*head, *many], minor=minor, count=count)
                    statuses[reply.status] += 1
                    if minor:
                        # SEQUENCE itself was refused: the slot did not move.
                        with_session.sequence -= 1
        self.expect("compounds of 10,000 operations", statuses, {RESOURCE, TOO_MANY_OPS}, {RESOURCE, TOO_MANY_OPS})
        if with_session.run([PUTROOTFH]).status:
            self.problems.append("the session is of no use after a refused compound")

    def clients(self) -> None:
        """Clients with a session each and the largest reply caches; clients of 4.0; strangers that confirm nothing."""
        number = self.scale // 100
        statuses: Counter[int] = Counter()
        attacker = Session(self.port, b"sessions")
        for i in range(32):
            try:
                attacker.create_session(2 + i, 64, 8192)
                statuses[0] += 1
            except NfsFailed as refused:
                statuses[refused.status] += 1
        self.expect("33 sessions of one client", statuses, {0, NOSPC}, {0, NOSPC})
        statuses.clear()
        for i in range(number):
            try:
                attacker.become(b"many %d " % i + b"x" * 900, slots=64, cached=8192)
                statuses[0] += 1
            except NfsFailed as refused:
                statuses[refused.status] += 1
        self.expect(f"{number} clients with sessions", statuses, {0, DELAY}, {0})
        full = statuses[DELAY] > 0  # until a lease has run out
        statuses.clear()
        for i in range(number):
            owner = b"old %d " % i + b"y" * 900
            call_back = u32(0x40000000) + opaque(b"tcp") + opaque(b"127.0.0.1.1.1") + u32(1)
            made = attacker.send([op(35, bytes(8) + opaque(owner) + call_back)], minor=0)
            if made.status == 0:
                made.results.fixed(8)
                made = attacker.send([op(36, made.results.fixed(16))], minor=0)
            statuses[made.status] += 1
        self.expect(f"{number} clients of 4.0", statuses, {0, RESOURCE, DELAY}, set() if full else {0})
        statuses.clear()
        for i in range(number):
            made = attacker.send([op(42, bytes(8) + opaque(b"stranger %d" % i) + u32(0) * 3)])
            statuses[made.status] += 1
        self.expect(f"{number} strangers", statuses, {0, DELAY}, {0})

    def locks(self, clients: int) -> None:
        """Locks of single bytes that cannot be merged."""
        number = self.scale // clients
        statuses: Counter[int] = Counter()
        attackers = []
        for i in range(clients):
            attacker = Session(self.port, b"locks %d of %d" % (i, clients))
            attackers.append(attacker)
            stateid, handle = attacker.open(self.bystander.directory, f"locked-{clients}-{i}")
            first = op(LOCK, u32(2) + u32(0) + u64(0) + u64(1) + u32(1) + u32(0) + stateid + u32(0)
                       + u64(attacker.client) + opaque(b"l"))
            reply = attacker.run([putfh(handle), first])
            statuses[reply.status] += 1
            if reply.status:
                continue
            reply.results.fixed(16)
            lock = bytes(4) + reply.results.fixed(16)[4:] + u32(0)
            for at in range(1, number, OPS):
                batch = [op(LOCK, u32(2) + u32(0) + u64(2 * k) + u64(1) + u32(0) + lock) for k in range(at, at + OPS)]
                reply = attacker.run([putfh(handle), *batch])
                statuses[0] += reply.count - 2 - (reply.status != 0)
                statuses[reply.status] += reply.status != 0
                if statuses[DELAY] > 100 * (i + 1):
                    break  # it will not be given more
        self.expect(f"{number * clients} locks by {clients} clients", statuses, {0, DELAY}, {0})
        self.problems += self.bystander.turn()
        for attacker in attackers:
            attacker.become(attacker.owner, verifier=b"restart.")  # the state goes

    def opens(self) -> None:
        """Opens by owners of their own, with long names."""
        number = self.scale // 5
        statuses: Counter[int] = Counter()
        attacker = Session(self.port, b"opens")
        per_owner = [op(SAVEFH)] + [b""] * (OPS // 2 * 2)
        for at in range(0, number, OPS // 2):
            for k in range(OPS // 2):
                per_owner[1 + 2 * k] = open_create(attacker.client, b"%d" % (at + k) + b"o" * 900, "opened")
                per_owner[2 + 2 * k] = op(RESTOREFH)
            reply = attacker.run([putfh(self.bystander.directory), *per_owner])
            statuses[0] += max(0, reply.count - 2) // 2
            statuses[reply.status] += reply.status != 0
            if statuses[DELAY] > 100:
                break
        self.expect(f"{number} opens", statuses, {0, DELAY}, {0})
        self.problems += self.bystander.turn()
        attacker.become(attacker.owner, verifier=b"restart.")

    def records(self) -> None:
        """Records that are begun and not ended, and lengths that no record has."""
        number = self.scale // 500
        begun: list[socket.socket] = []
        write = Rpc(self.port).encode(NFS, 3, 7, opaque(b"h" * 32) + u64(0) + u32(1 << 20) + u32(0) + u32(1 << 20))[1]
        with contextlib.ExitStack() as stack:
            for i in range(number):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 30))
                one.setblocking(False)
                length = LAST_FRAGMENT * (i % 2) | (1 << 20)
                with contextlib.suppress(BlockingIOError):
                    one.send(u32(length) + write[4:] + bytes(512 << 10))
                begun.append(one)
            self.problems += self.bystander.turn()
            closed = 0
            for length in (0x7FFFFFFF, 0xFFFFFFFF, LAST_FRAGMENT | (2 << 20), 2 << 20):
                one = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 30))
                one.sendall(u32(length))
                closed += one.recv(1) == b""
            fragments = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 30))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for _ in range(100):
                    fragments.sendall(u32(0) * 10_000)
                closed += fragments.recv(1) == b""
            print(f"nfs_state: {number} half records, {closed} impossible ones closed; peak "
                  f"{peak_memory(self.server.pid) // MIB} MiB", flush=True)
            if closed < 4:
                self.problems.append(f"only {closed} of the impossible records were refused")

    def replies(self) -> None:
        """READ, READDIR and READDIRPLUS with the largest counts, whose replies nobody takes."""
        number = self.scale // 1000
        v3 = Nfs3(self.port, f"/{BUCKET}")
        handle = v3.lookup(v3.root, "large")
        greedy = u32(0xFFFFFFFF)
        calls = [(6, opaque(handle) + u64(0) + greedy), (16, opaque(v3.root) + u64(0) + bytes(8) + greedy),
                 (17, opaque(v3.root) + u64(0) + bytes(8) + greedy + greedy)]
        with contextlib.ExitStack() as stack:
            for i in range(number):
                one = stack.enter_context(Rpc(self.port))
                one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                one.socket.setblocking(False)
                procedure, arguments = calls[i % 3]
                with contextlib.suppress(BlockingIOError):
                    one.socket.send(b"".join(one.encode(NFS, 3, procedure, arguments)[1] for _ in range(200)))
            for _ in range(3):
                self.problems += self.bystander.turn()
            print(f"nfs_state: {number} clients that read no reply; peak {peak_memory(self.server.pid) // MIB} MiB",
                  flush=True)

    def xattrs(self) -> None:
        """Values of 64 KiB on one file, then on many."""
        statuses: Counter[int] = Counter()
        attacker = Session(self.port, b"xattrs", minor=2)
        for file in range(max(2, self.scale // 10_000)):
            _, handle = attacker.open(self.bystander.directory, f"xattr{file}")
            for size in (60_000, 60_000, 65_537, 1_000_000):
                value = op(73, u32(0) + opaque(b"%d" % size) + opaque(bytes(size)))
                statuses[attacker.run([putfh(handle), value]).status] += 1
        self.expect("xattrs", statuses, {0, NOSPC, XATTR2BIG}, {0})
        if statuses[0] == 0 or statuses[XATTR2BIG] == 0:
            self.problems.append("xattrs: neither kept nor refused")


def attacks(attack: Attack) -> Iterator[tuple[str, Callable[[], None]]]:
    """In order: what holds state comes last."""
    yield "compounds", attack.compounds
    yield "records", attack.records
    yield "replies", attack.replies
    yield "xattrs", attack.xattrs
    yield "locks by one", lambda: attack.locks(1)
    yield "locks by many", lambda: attack.locks(12)
    yield "opens", attack.opens
    yield "clients", attack.clients


def run(server: Server, port: int, scale: int, limit: int) -> list[str]:
    """All attacks, with a turn of the bystander after each."""
    client = server.client(60)
    client.create_bucket(BUCKET)
    client.checked("large", client.put(BUCKET, "large", bytes(4 * MIB)))
    bystander = Bystander(server, port)
    attack = Attack(server, port, bystander, scale)
    problems = bystander.turn()
    for name, do in attacks(attack):
        began = time.monotonic()
        do()
        problems += attack.problems
        attack.problems.clear()
        problems += bystander.turn()
        peak = peak_memory(server.pid)
        print(f"nfs_state: {name}: {time.monotonic() - began:.1f} s, peak {peak // MIB} MiB of {limit // MIB}", flush=True)
        if peak >= limit:
            problems.append(f"{name}: peak memory {peak // MIB} MiB is not below the limit")
            break
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--scale", type=int, default=100_000, help="locks; a fifth opens, a hundredth clients")
    parser.add_argument("--limit-mib", type=int, default=512)
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port = free_ports(1)[0]
    # No lease may run out meanwhile, however slow the machine is.
    config = (f'[nfs]\nlisten = "127.0.0.1:{port}"\nlease = "900s"\ngrace = "900s"\n\n[[export]]\npath = "/{BUCKET}"\n'
              f'bucket = "{BUCKET}"\nclients = ["127.0.0.0/8"]\nsquash = "none"\n')
    environment = {"OUTCROP_SERVER_MEMORY_LIMIT": f"{options.limit_mib}MiB",
                   "OUTCROP_SERVER_MAX_CONNECTIONS_PER_ADDRESS": "0"}
    with Server(options.outcropd, scratch=options.scratch, extra_config=config, environment=environment) as server:
        problems = run(server, port, options.scale, options.limit_mib * MIB)
    for problem in problems:
        print(f"nfs_state: {problem}")
    print(f"nfs_state: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
