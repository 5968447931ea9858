#!/usr/bin/env python3
"""Writes the seeds of tests/fuzz/corpus/nfs4 that reach every operation and the states behind it: what clients really do,
in the language of nfs4_fuzz.cpp. Run it again when the forms there change."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests/fuzz/api/nfs/v4/nfs4_fuzz.cpp"
CORPUS = ROOT / "tests/fuzz/corpus/nfs4"
FORMS = re.findall(r"\{Op::(\w+), \"(\w*)\"\}", SOURCE.read_text())
NAMES = [name for name, _ in FORMS]

# Handles that the world starts with, and stateids; what the server gives comes behind them.
TOP, EXPORT, DIRECTORY, LINK, READ_ONLY, PIPE, FIRST_HANDLE = range(7)
ZERO, CURRENT, BYPASS, FIRST_STATEID = range(4)
F, G, A, L, H, EMPTY, DOT, SLASH, BAD, OWNER = range(10)  # names
AGAIN, ON = 0, 1  # behind a compound
READ, WRITE, BOTH = 1, 2, 3
K64, MAX32 = 0x81, 0x83  # of Input::number(): 65,536 and the largest
EVERYTHING = [MAX32, 0x3E, 0x7D]  # but what can only be set
NOTHING = [1, 1]  # attributes


def op(name: str, *arguments: int | list[int]) -> list[int]:
    """One operation with an argument for each letter of its form: a number, or the bytes of what is more."""
    number = NAMES.index(name)
    form = FORMS[number][1]
    assert len(form) == len(arguments), f"{name} takes {form}"
    out = [number]
    for letter, argument in zip(form, arguments, strict=True):
        if isinstance(argument, list):
            out += argument
        else:
            out += [0, argument] if letter in "Uv" else [argument]
    return out


def size(bytes_wanted: int, mode: list[int] | None = None) -> list[int]:
    """Attributes: a size, perhaps a mode."""
    return [0, 0, bytes_wanted, *([1] if mode is None else [0, *mode])]


def compound(*operations: list[int], after: int = ON, alone: bool = False) -> list[int]:
    """A compound; `alone`: without SEQUENCE."""
    head = 0xF0 if alone else 0
    count = len(operations)
    assert count < 12
    return [head + (count - head) % 12, *(b for o in operations for b in o), after]


def open_new(name: int, seqid: int = 0, how: int = 0, owner: int = OWNER) -> list[int]:
    """OPEN that creates: unchecked or guarded, without attributes (odd byte)."""
    return op("open", seqid, BOTH, 0, 0, owner, [how, 1, 0, name])


def open_old(name: int, seqid: int = 0, access: int = BOTH, claim: int = 0) -> list[int]:
    """OPEN of what is there."""
    tail = [name] if claim in (0, 3) else []
    return op("open", seqid, access, 0, 0, OWNER, [4, claim, *tail])


def lock(stateid: int, kind: int = 2, at: int = 0, length: int = 10, open_seqid: int = 0) -> list[int]:
    """LOCK by a new lock owner."""
    return op("lock", kind, 0, at, length, [0, open_seqid, stateid, 0])


def lock_more(stateid: int, kind: int, at: int, length: int, seqid: int = 0) -> list[int]:
    """LOCK by one that has locks."""
    return op("lock", kind, 0, at, length, [3, stateid, seqid])


def file_data() -> list[list[int]]:
    """Open, write, read, lock, upgrade and split locks, close."""
    opened, locked = FIRST_STATEID, FIRST_STATEID + 1
    more, less, none = range(FIRST_STATEID + 3, FIRST_STATEID + 6)  # behind two locks in one compound
    return [
        compound(op("putfh", EXPORT), open_new(0), op("getfh"), op("write", CURRENT, 0, 2, 200), op("getattr", EVERYTHING)),
        compound(op("putfh", FIRST_HANDLE), op("read", opened, 0, K64), op("write", opened, 100, 0, 255), op("commit", 0, 0),
                 after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), lock(opened), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), lock_more(locked, 1, 5, 2), lock_more(CURRENT, 2, 20, 5)),
        compound(op("putfh", FIRST_HANDLE), op("lockt", 2, 100, 100, 0, F), op("lockt", 2, 0, 100, 0, F)),
        compound(op("putfh", FIRST_HANDLE), op("locku", 2, 0, more, 3, 4), after=AGAIN),
        compound(op("test_stateid", 1, less)),
        compound(op("putfh", FIRST_HANDLE), op("locku", 2, 0, less, 0, 100)),
        compound(op("free_stateid", none)),
        compound(op("putfh", FIRST_HANDLE), op("setattr", opened, size(50, [100]))),
        compound(op("putfh", EXPORT), open_old(0, access=READ), op("open_downgrade", CURRENT, 0, READ, 0)),
        compound(op("putfh", EXPORT), open_old(0), open_old(0)),
        compound(op("putfh", FIRST_HANDLE), open_old(0, claim=4), op("close", 0, CURRENT), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("close", 0, opened)),
    ]


def server_side_copy() -> list[list[int]]:
    """CLONE, COPY, holes and advice between two open files."""
    f, g = FIRST_STATEID, FIRST_STATEID + 1
    both = [op("putfh", FIRST_HANDLE), op("savefh"), op("putfh", FIRST_HANDLE + 1)]
    return [
        compound(op("putfh", EXPORT), open_new(0), op("getfh"), op("write", CURRENT, 0, 2, 255)),
        compound(op("putfh", EXPORT), open_new(1), op("getfh")),
        compound(*both, op("clone", f, g, 0, 0, 0)),
        compound(*both, op("copy", f, g, 0, 100, 50, 1, 1, 0), op("commit", 0, 0), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE + 1), op("allocate", g, 0, K64), op("deallocate", g, 10, 100),
                 op("seek", g, 0, 1), op("seek", g, 0, 0), op("io_advise", g, 0, 0, [1, 1, 1]), op("read_plus", g, 0, K64)),
        compound(*both, op("copy", f, g, 0, 0, 0, 0, 0, 1)),
        compound(op("copy_notify", f, 0, F), op("offload_status", f), op("offload_cancel", f)),
    ]


def names() -> list[list[int]]:
    """Everything that makes, moves and removes names, and looks at them."""
    return [
        compound(op("putfh", EXPORT), op("create", 2, H, NOTHING), op("getfh"), op("access", 63), op("getattr", EVERYTHING)),
        compound(op("putfh", EXPORT), op("create", 5, G, NOTHING), op("readlink"), op("getfh")),
        compound(op("putfh", EXPORT), open_new(0), op("savefh"), op("putfh", FIRST_HANDLE), op("link", F), op("lookup", F),
                 op("lookupp"), op("secinfo", F)),
        compound(op("putfh", EXPORT), op("savefh"), op("putfh", FIRST_HANDLE), op("rename", F, OWNER),
                 op("restorefh"), op("readdir", 0, 0, K64, K64, EVERYTHING), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("savefh"), op("putfh", FIRST_HANDLE), op("rename", F, G), op("remove", G)),
        compound(op("putfh", EXPORT), op("remove", G), op("putrootfh"), op("readdir", 0, 0, K64, K64, EVERYTHING),
                 op("putpubfh"), op("lookup", A)),
        compound(op("putfh", EXPORT), op("readdir", 0, 0, 16, 64, [1, 1, 1]), op("secinfo_no_name", 0)),
        compound(op("putfh", EXPORT), op("verify", NOTHING), op("nverify", size(99))),
        compound(op("putfh", EXPORT), op("nverify", [1, 0, 5]), op("secinfo_no_name", 1)),
        compound(op("putfh", LINK), op("readlink"), op("openattr", 0)),
        compound(op("putfh", READ_ONLY), op("create", 2, H, NOTHING)),
        compound(op("putfh", READ_ONLY), op("lookup", A), op("lookupp"), op("lookupp"), op("lookupp"), op("getfh")),
    ]


def xattrs() -> list[list[int]]:
    """Of a file and of a directory."""
    return [
        compound(op("putfh", EXPORT), open_new(0), op("getfh"), op("setxattr", 0, F, 200), op("setxattr", 1, G, 0),
                 op("getxattr", F), op("listxattrs", 0, K64)),
        compound(op("putfh", FIRST_HANDLE), op("setxattr", 2, F, 10), op("listxattrs", 1, K64), op("removexattr", F),
                 op("getxattr", F), after=AGAIN),
        compound(op("putfh", DIRECTORY), op("setxattr", 0, H, 255), op("listxattrs", 0, 16), op("removexattr", H)),
    ]


def sessions() -> list[list[int]]:
    """Clients and sessions made and ended, also by compounds without a session."""
    channels = [20, 20, 12, 16, 8] * 2
    return [
        compound(op("exchange_id", 0, F, 0, 0, 0), alone=True),
        compound(op("create_session", 0, 2, 0, channels), alone=True),
        compound(op("create_session", 0, 2, 3, channels), alone=True),
        compound(op("bind_conn_to_session", [], 3, 0), alone=True),
        compound(op("backchannel_ctl", 1, 0), op("reclaim_complete", 1), op("reclaim_complete", 0)),
        compound(op("sequence", [], 1, 1, 1, 1), alone=True),
        compound(op("sequence", [], 100, 0, 0, 1), op("putrootfh"), alone=True),
        compound(op("putfh", EXPORT), open_new(0, how=1), open_new(1, how=1), op("test_stateid", 1, CURRENT)),
        compound(op("delegpurge", 0), after=AGAIN),
        compound(op("putfh", EXPORT), op("delegreturn", FIRST_STATEID)),
        compound(op("destroy_clientid", 0), alone=True),
    ]


def endings() -> list[list[int]]:
    """A client goes, in the wrong and in the right order, and calls on."""
    return [
        compound(op("putfh", EXPORT), open_new(0), op("close", 0, CURRENT)),
        compound(op("destroy_clientid", 0), alone=True),
        compound(op("destroy_session", []), alone=True),
        compound(op("putrootfh")),
        compound(op("destroy_clientid", 0), alone=True),
        compound(op("destroy_clientid", 0), alone=True),
        compound(op("create_session", 0, 2, 0, [20, 20, 12, 16, 8] * 2), alone=True),
        compound(op("exchange_id", 77, F, 0, 0, 0), alone=True),
    ]


def exclusive() -> list[list[int]]:
    """Exclusive creates and their repetitions, share conflicts, reclaims."""
    return [
        compound(op("putfh", EXPORT), op("open", 0, BOTH, 0, 0, OWNER, [2, 9, 0, 0]), op("getfh"), after=AGAIN),
        compound(op("putfh", EXPORT), op("open", 0, BOTH, 0, 0, OWNER, [2, 9, 0, 0])),
        compound(op("putfh", EXPORT), op("open", 0, BOTH, 0, 0, OWNER, [2, 8, 0, 0])),
        compound(op("putfh", EXPORT), op("open", 0, BOTH, 0, 0, OWNER, [3, 7, 0, 1, 0, 1]), op("getattr", EVERYTHING)),
        compound(op("putfh", EXPORT), op("open", 0, BOTH, 3, 0, F, [4, 0, 1])),
        compound(op("putfh", EXPORT), op("open", 0, READ, 1, 0, G, [4, 0, 0])),
        compound(op("putfh", FIRST_HANDLE), op("open", 0, READ, 0, 0, G, [4, 1])),
        compound(op("putfh", FIRST_HANDLE), op("open", 0, READ, 0, 0, G, [4, 4])),
        compound(op("putfh", FIRST_HANDLE), op("read", BYPASS, 0, 16), op("write", ZERO, 0, 0, 3)),
        compound(op("putfh", FIRST_HANDLE), op("setattr", ZERO, size(3, [64])), op("read", ZERO, 0, 16)),
    ]


def old_client() -> list[list[int]]:
    """NFSv4.0: owners' sequence numbers, confirmations, replays."""
    opened, confirmed, locked = FIRST_STATEID, FIRST_STATEID + 1, FIRST_STATEID + 2
    return [
        compound(op("renew", 0)),
        compound(op("putfh", EXPORT), open_new(0, seqid=1), op("getfh"), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("open_confirm", opened, 2), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("write", confirmed, 0, 2, 99), op("read", confirmed, 0, K64), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), lock(confirmed, open_seqid=3), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), lock_more(locked, 1, 20, 5, 1), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("lockt", 2, 0, 100, 0, F)),
        compound(op("putfh", FIRST_HANDLE), op("locku", 2, 2, locked + 1, 0, 100), after=AGAIN),
        compound(op("release_lockowner", 0, F)),
        compound(op("putfh", EXPORT), open_old(0, seqid=4, access=READ), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("open_downgrade", locked + 3, 5, READ, 0), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("close", 6, locked + 4), after=AGAIN),
        compound(op("putfh", FIRST_HANDLE), op("close", 5, locked + 3)),
        compound(op("release_lockowner", 0, OWNER)),
        compound(op("setclientid", 5, F, 0, G, H, 1)),
        compound(op("setclientid_confirm", 0), after=AGAIN),
        compound(op("setclientid", 6, F, 0, G, H, 1)),
        compound(op("setclientid_confirm", 7)),
        compound(op("setclientid_confirm", 0)),
        compound(op("putfh", EXPORT), op("secinfo", A), op("delegpurge", 0)),
    ]


def main() -> None:
    seeds = {"file_data": (0, file_data), "copy": (2, server_side_copy), "names": (0, names), "xattrs": (2, xattrs),
             "sessions": (1, sessions), "endings": (1, endings), "exclusive": (0, exclusive), "old_client": (None, old_client)}
    for name, (least, make) in seeds.items():
        for minor in [0] if least is None else range(max(1, least), 3):
            path = CORPUS / f"{name}_4_{minor}"
            path.write_bytes(bytes([minor, *(b for c in make() for b in c)]))
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
