"""Self-describing object bodies: who wrote them, for which key, how long they are, and a hash over all of it."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

_HASH = hashlib.sha256().digest_size
_FILLER = random.Random(20260101).randbytes(1 << 20)


class Torn(Exception):
    """Bytes that no single write ever produced."""


@dataclass(frozen=True, order=True)
class ValueId:
    """One write of one client."""

    client: int
    seq: int


def make(key: str, value_id: ValueId, length: int) -> bytes:
    """A body of at least `length` bytes; the same arguments give the same bytes."""
    stamp = f"{key}\n{value_id.client}\n{value_id.seq}\n{length}\n".encode()
    filler = max(0, length - len(stamp) - _HASH)
    start = (value_id.client * 7919 + value_id.seq * 104_729) % len(_FILLER)
    block = _FILLER[start:] + _FILLER[:start]
    content = stamp + (block * (filler // len(block) + 1))[:filler]
    return content + hashlib.sha256(content).digest()


def parse(body: bytes) -> tuple[str, ValueId]:
    """The key and the writer of a body; raises Torn when it is not whole."""
    content, check = body[:-_HASH], body[-_HASH:]
    if len(body) <= _HASH or hashlib.sha256(content).digest() != check:
        raise Torn(f"{len(body)} bytes with a wrong hash, starting {body[:80]!r}")
    key, client, seq, length, _ = content.split(b"\n", 4)
    if int(length) > len(body):
        raise Torn(f"{len(body)} bytes instead of {int(length)}")
    return key.decode(), ValueId(int(client), int(seq))
