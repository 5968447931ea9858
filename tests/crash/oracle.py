"""What must be true after a crash: per key, the values that the acked and the in-flight operations allow."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from values import Torn, ValueId

ABSENT: ValueId | None = None


@dataclass
class Op:
    """One write to one key. `acked_at` stays None while the outcome is unknown."""

    value: ValueId | None
    started_at: int
    acked_at: int | None = None
    etag: str = ""


@dataclass
class KeyState:
    """The value known before this round and the operations of this round."""

    base: ValueId | None = ABSENT
    ops: list[Op] = field(default_factory=list)

    def allowed(self) -> list[Op]:
        """Operations that may be the last one: no acked operation began after they had ended."""
        candidates = [Op(self.base, 0, 0), *self.ops]
        latest = max((op.started_at for op in self.ops if op.acked_at is not None), default=0)
        return [op for op in candidates if op.acked_at is None or op.acked_at >= latest]


@dataclass
class Move:
    """A rename of a value from one key to another, neither of which anybody else writes. `had`: the target may have
    had that value before, by a copy."""

    source: str
    taken: Op
    target: str
    given: Op
    had: bool


class Oracle:
    """Thread-safe record of intents and acks, also written to a log outside the store."""

    def __init__(self, log: Path) -> None:
        self._lock = threading.Lock()
        self._clock = 0
        self._log: TextIO = log.open("a", buffering=1)
        self._moves: list[Move] = []
        # Bodies name the key that they were written for: copies and renames carry them elsewhere.
        self._written_for: dict[ValueId, str] = {}
        self.keys: dict[str, KeyState] = {}
        self.acked = 0
        self.unknown = 0

    def begin(self, key: str, value: ValueId | None) -> Op:
        """Notes the intent to write (None: delete) before the request goes out."""
        with self._lock:
            self._clock += 1
            op = Op(value, self._clock)
            self.keys.setdefault(key, KeyState()).ops.append(op)
            self._moves = [move for move in self._moves if key not in (move.source, move.target)]
            if value is not None:
                self._written_for.setdefault(value, key)
            self._log.write(f"intent {self._clock} {key} {value}\n")
            return op

    def ack(self, key: str, op: Op, etag: str = "") -> None:
        """Notes that the server said the write is safe."""
        with self._lock:
            self._clock += 1
            op.acked_at, op.etag = self._clock, etag
            self.acked += 1
            self._log.write(f"ack {op.started_at} {key}\n")

    def begin_move(self, source: str, target: str, value: ValueId) -> Move:
        """Notes the intent to rename."""
        with self._lock:
            state = self.keys.get(target)
            had = state is not None and any(op.value == value for op in state.allowed())
        move = Move(source, self.begin(source, None), target, self.begin(target, value), had)
        with self._lock:
            self._moves.append(move)
        return move

    def ack_move(self, move: Move) -> None:
        """Notes that the server said the rename is safe."""
        self.ack(move.source, move.taken)
        self.ack(move.target, move.given)

    def half_moved(self) -> list[str]:
        """Renames without an answer that were done by half, if nothing was done to their keys later. For settled keys."""
        moves, self._moves = self._moves, []
        half = []
        for move in moves:
            gone = self.keys[move.source].base is None
            arrived = self.keys[move.target].base == move.given.value
            if move.taken.acked_at is None and gone != arrived and (gone or not move.had):
                half.append(f"{move.source} was being renamed to {move.target}, and both or none is there")
        return half

    def found(self, key: str, name: str, value: ValueId) -> ValueId:
        """The value of a body found under a key, which names the key that it was written for; Torn if another."""
        if self._written_for.get(value, key) != name:
            raise Torn(f"a body of {name} that nobody wrote")
        return value

    def settled_value(self, key: str) -> ValueId | None:
        """The value of a key that only the caller writes, None when unknown or absent."""
        with self._lock:
            state = self.keys.get(key)
            allowed = state.allowed() if state else []
            return allowed[0].value if len(allowed) == 1 else None

    def round_done(self, note: str) -> None:
        """Makes the log durable at a kill."""
        self._log.write(f"killed {note}\n")
        os.fsync(self._log.fileno())

    def touched(self) -> list[str]:
        """Keys with operations since they were last settled."""
        return sorted(k for k, s in self.keys.items() if s.ops)

    def settle(self, key: str, value: ValueId | None) -> None:
        """The value seen after recovery is the new base."""
        state = self.keys[key]
        self.unknown += sum(1 for op in state.ops if op.acked_at is None)
        state.base, state.ops = value, []

    def present(self) -> set[str]:
        """Keys that must be listed, when all are settled."""
        return {k for k, s in self.keys.items() if s.base is not None}

    def close(self) -> None:
        """Closes the log."""
        self._log.close()
