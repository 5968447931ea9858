#!/usr/bin/env python3
"""outcrop fsck: clean after a stop and after kill -9, each kind of damage found and explained, nothing written ever."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / "support")]

from damage import BLOCK, Snapshot
from loop_drives import available, loop_drives
from population import BUCKET, MIB, Population
from server import Server, ServerFailed, moved_away

DRIVES = 6
PARITY = 2
HEADER = 64
SMALL, DATA, CHUNK_PARITY = 1, 2, 3
WAIT_SECONDS = 60
Fingerprint = dict[str, tuple[int, int, int, int, str]]


def fingerprint(roots: list[Path], content: bool) -> Fingerprint:
    """Every path with its mode, length, times of change and, if wanted, content."""
    out = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))]:
            status = path.lstat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest() if content and path.is_file() else ""
            size = status.st_size if path.is_file() else 0
            out[str(path)] = (status.st_mode, size, status.st_mtime_ns, status.st_ctime_ns, digest)
    return out


def chunks(path: Path, kind: int) -> list[tuple[int, int]]:
    """(offset, payload bytes) of the chunks of a kind in a shard file, as their headers say."""
    data, found, at = path.read_bytes(), [], 0
    while (at := data.find(b"OCHK", at)) >= 0:
        if at % 64 == 0 and data[at + 5] == kind and int.from_bytes(data[at + 32:at + 40], "little") == at:
            found.append((at, int.from_bytes(data[at + 48:at + 52], "little")))
        at += HEADER
    return found


def flip(path: Path, offset: int) -> None:
    """Changes one byte."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x5A]))


class Judge:
    """Runs fsck on the drives of a stopped server and compares what it says with what must be."""

    def __init__(self, server: Server, tool: Path) -> None:
        self.server = server
        self._tool = tool.resolve()
        self.problems: list[str] = []
        self._scratch = server.root / "scratch"
        self._scratch.mkdir()

    def expect(self, right: bool, what: str, why: object = "") -> None:
        """A line for each thing that must be so."""
        print(f"{'PASS' if right else 'FAIL'}  {what}", flush=True)
        if not right:
            self.problems.append(what)
            print(f"      {why}", flush=True)

    def _fsck(self, *flags: str, content: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """The drives must be as they were, unless a server runs."""
        here = [place for place in (*self.server.drives, self.server.state) if place.exists()]
        places = here if not self.server.running else []
        before = fingerprint(places, content)
        done = subprocess.run([str(self._tool), "fsck", "--config", str(self.server.config), "--json", *flags],
                              env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False)
        after = fingerprint(places, content)
        if before != after:
            changed = [p for p in before.keys() | after.keys() if before.get(p) != after.get(p)]
            self.expect(False, "fsck writes nothing", changed[:5])
        return done

    def run(self, *flags: str, content: bool = False) -> tuple[int, dict[str, Any]]:
        """The exit code and the JSON report."""
        scratch = () if "--scratch" in flags else ("--scratch", str(self._scratch))
        done = self._fsck(*scratch, *flags, content=content)
        if left := list(self._scratch.iterdir()):
            self.expect(False, "the scratch folder is removed", left)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise ServerFailed(f"fsck ended with {done.returncode}: {done.stdout[:500]} {done.stderr[-2000:]}") from None

    def refuses(self, what: str, why: str, *flags: str, **environment: str) -> None:
        """Nothing is begun, for this reason."""
        done = self._fsck(*flags, **environment)
        self.expect(done.returncode == 2 and why in done.stderr, what, (done.returncode, done.stderr))

    def clean(self, where: str, *flags: str) -> dict[str, Any]:
        """Nothing is wrong."""
        code, report = self.run(*flags, content=True)
        self.expect(code == 0 and report["clean"], f"{where}: clean", (code, report["findings"], report["error"]))
        return report

    def finds(self, what: str, codes: set[str], says: list[str], *flags: str) -> dict[str, Any]:
        """Problems of exactly these codes; together they mention all of `says`, and each says what to do."""
        code, report = self.run(*flags)
        problems = [f for f in report["findings"] if f["severity"] == "problem"]
        text = "\n".join(f["message"] for f in problems)
        right = (code == 1 and {f["code"] for f in problems} == codes and all(part in text for part in says)
                 and all(f["advice"] for f in problems))
        self.expect(right, f"{what}: {', '.join(sorted(codes))}", (code, says, problems, report["error"]))
        return report


def documented(judge: Judge) -> None:
    """Every code of a finding has a line in the guide that says who repairs it, and no other has."""
    root = Path(__file__).resolve().parents[2]
    kinds = "chunks|drive|epoch|files|inode|journal|mirrors?|object|reference|segments?|shard|superblock|tree|usage"
    source = "".join(p.read_text() for p in sorted((root / "storage" / "check").glob("*.cpp")))
    codes = set(re.findall(rf'"((?:{kinds})-[a-z-]+)"', source))
    table = (root / "docs" / "guide" / "checks.md").read_text().split("\n| finding |", 1)[1]
    rows = [name for line in table.splitlines()[2:] if line.startswith("| ") for name in line.split(" | ")[0][2:].split(", ")]
    judge.expect(bool(codes) and all(any(fnmatch(c, row) for row in rows) for c in codes)
                 and all(any(fnmatch(c, row) for c in codes) for row in rows),
                 "the guide has all findings", (sorted(codes), rows))


class Store(Server):
    """A server whose files are looked into."""

    def shards(self, kind: int) -> list[Path]:
        """Shard files of the segment that has most chunks of the kind on the first drive that has any."""
        best: tuple[int, str] = (0, "")
        for path in (p for d in self.drives for p in (d / "segments").iterdir()):
            best = max(best, (len(chunks(path, kind)), path.name[:16]))
        return sorted(p for d in self.drives for p in (d / "segments").glob(f"{best[1]}-*"))


class Cases:
    """Each damages a stopped store in one way."""

    def __init__(self, server: Store, judge: Judge) -> None:
        self.server = server
        self.judge = judge

    def _flip_chunk(self, path: Path, kind: int, number: int = 0) -> None:
        offset, length = chunks(path, kind)[number]
        flip(path, offset + HEADER + length // 2)

    def flipped_byte_in_a_stripe(self) -> None:
        """One byte of one data chunk."""
        path = next(p for p in self.server.shards(DATA) if chunks(p, DATA))
        self._flip_chunk(path, DATA)
        report = self.judge.finds("a flipped byte in a stripe", {"chunks-damaged"}, [str(path.parent.parent), path.name])
        segments = report["segments"]
        self.judge.expect((segments["degraded"], segments["lost"], report["objects_hurt"]) == (1, 0, 0),
                          "it can be rebuilt", segments)
        self.judge.clean("the same without reading payload", "--metadata-only")

    def flipped_byte_in_a_record(self) -> None:
        """One byte of one copy of a small object, and one of a parity chunk."""
        path = next(p for p in self.server.shards(SMALL) if chunks(p, SMALL))
        self._flip_chunk(path, SMALL)
        other = next(p for p in self.server.shards(CHUNK_PARITY) if chunks(p, CHUNK_PARITY))
        self._flip_chunk(other, CHUNK_PARITY)
        self.judge.finds("flipped bytes in a small record and in parity", {"chunks-damaged"}, [path.name, other.name])

    def removed_shard(self) -> None:
        """A shard file is gone."""
        path = self.server.shards(DATA)[1]
        path.unlink()
        self.judge.finds("a removed shard file", {"shard-missing"}, [str(path.parent.parent), path.name])
        self.judge.finds("the same without reading payload", {"shard-missing"}, [path.name], "--metadata-only")

    def cut_shard(self) -> None:
        """A shard file ends behind its first chunk."""
        path = next(p for p in self.server.shards(DATA) if len(chunks(p, DATA)) > 1)
        with path.open("r+b") as file:
            file.truncate(chunks(path, DATA)[1][0])
        self.judge.finds("a shard file that is cut", {"shard-size", "chunks-damaged"}, [path.name])

    def more_than_parity(self) -> None:
        """The same stripe is damaged in m + 1 shards: the objects in it are named."""
        paths = self.server.shards(DATA)
        for path in paths[:PARITY + 1]:
            self._flip_chunk(path, DATA if chunks(path, DATA) else CHUNK_PARITY)
        report = self.judge.finds("a stripe with too few good shards", {"chunks-damaged", "object-damaged"},
                                  [f'object "{BUCKET}/', "too few shards"])
        self.judge.expect(report["segments"]["lost"] == 1 and report["objects_hurt"] >= 1, "the objects are counted",
                          report["segments"])

    def stray_file(self) -> None:
        """A file of no segment is in order: a crash may leave it."""
        (self.server.drives[2] / "segments" / "00000000ffffff00-00").write_bytes(bytes(BLOCK))
        report = self.judge.clean("a shard file of no segment")
        self.judge.expect([f["code"] for f in report["findings"]] == ["files-of-no-segment"], "it is noted",
                          report["findings"])

    def damaged_superblock(self) -> None:
        """One of two copies."""
        flip(self.server.drives[3] / "superblock", BLOCK + 20)
        self.judge.finds("a damaged superblock copy", {"superblock-copy"}, [str(self.server.drives[3])])

    def damaged_mirror(self) -> None:
        """A byte in each table file of one metadata mirror."""
        tables = sorted((self.server.drives[1] / "meta").rglob("*.sst"))
        for table in tables:
            flip(table, table.stat().st_size // 3)
        code, report = self.judge.run()
        codes = {f["code"] for f in report["findings"]}
        self.judge.expect(bool(tables) and code == 1 and codes <= {"mirror-damaged", "mirror-lost"} and bool(codes)
                          and report["metadata"]["mirrors"] == PARITY, "a damaged mirror", (code, report["findings"]))

    def missing_drive(self) -> None:
        """Of a drive that is not there its last path is known; with too many gone nothing can be said."""
        with moved_away([self.server.drives[4]]):
            report = self.judge.finds("a missing drive", {"drive-missing", "segments-degraded"},
                                      [str(self.server.drives[4])])
            states = {d["slot"]: d["state"] for d in report["drives"]}
            self.judge.expect(states[4] == "missing" and list(states.values()).count("live") == DRIVES - 1,
                              "the others are live", states)
            self.server.drives[4].write_bytes(b"")
            self.judge.finds("a file where a drive was", {"drive-missing", "drive-unusable", "segments-degraded"},
                             [f'drive "{self.server.drives[4]}" does not open: ', "Not a directory"])
            self.server.drives[4].unlink()
        with moved_away([self.server.state]):
            self.judge.refuses("no state_dir", f"state_dir: {self.server.state}: ")
        with moved_away(self.server.drives[1:5]):
            code, report = self.judge.run()
            self.judge.expect(code == 2 and "are needed" in report["error"] and len(report["drives"]) == DRIVES,
                              "too few drives: it says so", (code, report))

    def scratch_on_a_drive(self) -> None:
        """It is refused before anything is written there."""
        drive = self.server.drives[1]
        link = self.server.root / "link"
        link.symlink_to(drive)
        for place in (drive, drive / "segments", link):
            self.judge.refuses(f"scratch in {place.name}", "is on the drive", "--scratch", str(place))
        self.judge.refuses("TMPDIR on a drive", "is on the drive", TMPDIR=str(drive))
        self.judge.refuses("scratch that is not there", "No such file", "--scratch", str(drive / "none"))
        link.unlink()

    def scratch_without_room(self) -> None:
        """A scratch that is full is no damage of the store, and nothing stays in it."""
        if why := available():
            print(f"SKIP  a full scratch: {why}")
            return
        with loop_drives([8], self.server.root) as folders:
            code, report = self.judge.run("--scratch", str(folders[0]))
            self.judge.expect(code == 2 and f"--scratch: {folders[0]} has no room left" in report["error"]
                              and not report["problems"] and not list(folders[0].iterdir()),
                              "a full scratch", (code, report))

    def all(self) -> list[Callable[[], None]]:
        """In any order."""
        return [self.flipped_byte_in_a_stripe, self.flipped_byte_in_a_record, self.removed_shard, self.cut_shard,
                self.more_than_parity, self.stray_file, self.damaged_superblock, self.damaged_mirror,
                self.missing_drive, self.scratch_on_a_drive, self.scratch_without_room]


@contextlib.contextmanager
def load(server: Server) -> Iterator[None]:
    """Clients that write small and large objects until the server goes."""
    ends = threading.Event()

    def write(number: int) -> None:
        client = server.client(10)
        with contextlib.suppress(Exception):  # the server is killed under it
            for turn in range(1_000_000):
                if ends.is_set():
                    break
                size = (300, 9_000, 60_000, 2 * MIB)[turn % 4]
                client.put(BUCKET, f"load/{number}/{turn % 40}", bytes([turn % 251]) * size)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ends.set()
        for thread in threads:
            thread.join()


def after_kills(server: Store, judge: Judge, rounds: int) -> None:
    """Killed under load: what was on its way is in order, whatever it was."""
    for number in range(rounds):
        server.start()
        with load(server):
            client = server.client()
            for i in range(20):
                client.put(BUCKET, f"acked/{number}/{i}", b"x" * (5_000 * (i + 1)))
            server.kill()
        report = judge.clean(f"kill -9 under load, round {number}")
        judge.expect(report["metadata"]["replayed"] > 0, "the journal was replayed", report["metadata"])


def newest_blocks(path: Path) -> tuple[int, list[int]]:
    """The generation that a journal file was last used for, and where its blocks end."""
    data, ends, at = path.read_bytes(), [], 0
    generation = int.from_bytes(data[40:48], "little")
    while data[at:at + 8].strip(b"\0") and data[at + 40:at + 48] == data[40:48]:
        at += -(-(88 + int.from_bytes(data[at + 32:at + 36], "little")) // BLOCK) * BLOCK
        ends.append(at)
    return generation, ends


def cut_journal(server: Store, judge: Judge) -> None:
    """After a kill the journal matters: one copy of it loses its tail."""
    found = [(*newest_blocks(p), p) for d in server.drives for p in sorted((d / "journal").iterdir())]
    _, ends, path = max(entry for entry in found if len(entry[1]) >= 4)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(ends[1])
    says = [str(path.parent.parent), path.name]
    judge.finds("a journal whose tail is cut", {"journal-cut", "journal-damaged"}, says)
    with path.open("r+b") as file:
        file.truncate(size)
    judge.finds("a journal with zeros for a tail", {"journal-damaged"}, says)


def stale_drive(server: Store, judge: Judge) -> None:
    """A drive that was pulled out of the running server and put back after it stopped."""
    server.start()
    with moved_away([server.drives[5]]):
        deadline = time.monotonic() + WAIT_SECONDS
        while server.admin("GET", "/v1/drives")["drives"][5]["state"] == "live":
            if time.monotonic() > deadline:
                raise ServerFailed(f"a drive is gone and still live\n{server.log_tail()}")
            time.sleep(0.1)
        client = server.client()
        for i in range(20):
            client.checked("put", client.put(BUCKET, f"without/{i}", b"y" * 20_000))
        client.close()
        server.stop()
    code, report = judge.run()
    stale = [f for f in report["findings"] if f["code"] == "drive-stale"]
    judge.expect(code == 1 and len(stale) == 1 and str(server.drives[5]) in stale[0]["message"]
                 and {f["code"] for f in report["findings"]} <= {"drive-stale", "shard-behind"},
                 "a drive that was away", report["findings"])
    server.start()
    server.wait_redundant(DRIVES, PARITY + 1)
    server.stop()
    judge.clean("the drive was taken back")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--outcrop", type=Path, required=True, help="the outcrop tool")
    parser.add_argument("--kills", type=int, default=3, help="rounds of kill -9 under load")
    parser.add_argument("--scratch", type=Path, help="where the drives go (default: the system's temp directory)")
    options = parser.parse_args()
    with Store(options.outcropd, drives=DRIVES, scratch=options.scratch) as server:
        judge = Judge(server, options.outcrop)
        documented(judge)
        population = Population(7)
        client = server.client()
        population.fill(client)
        client.close()
        code, report = judge.run()
        judge.expect(code == 2 and "in use" in report["error"], "a running server: refused", report)
        server.stop()
        report = judge.clean("after a stop")
        judge.expect(report["tree"]["files"] >= len(population.expected) and report["payload"]["chunks"] > 0,
                     "it has read everything", report["tree"])
        snapshot = Snapshot([*server.drives, server.state], server.root / "pristine")
        cases = Cases(server, judge)
        for case in cases.all():
            case()
            snapshot.restore()
        judge.clean("all damage taken back")
        snapshot.drop()
        after_kills(server, judge, options.kills)
        cut_journal(server, judge)
        stale_drive(server, judge)
    print(f"fsck: {len(judge.problems)} failures")
    return 1 if judge.problems else 0


if __name__ == "__main__":
    sys.exit(main())
