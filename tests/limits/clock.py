#!/usr/bin/env python3
"""T19: the machine's clock comes up in 1970, and jumps while the server runs (libfaketime).

What has expired does not count again, dates do not go back, what was written last is what is there, and clients that
know the time are served.
"""

from __future__ import annotations

import argparse
import datetime
import email.utils
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "support")]

from s3client import EMPTY_SHA256, presign, sign_headers
from server import Server

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
BUCKET = "clock"
DAY = datetime.timedelta(days=1)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


class Clock:
    """What the server takes for the machine's clock: a file that libfaketime reads once a second."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "time"
        self.set("+0")

    def environment(self, library: Path) -> dict[str, str]:
        return {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.file), "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}

    def set(self, text: str) -> None:
        self.file.write_text(text + "\n")


class Checks:
    """One server under a clock."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.failed = self.count = 0

    def expect(self, holds: bool, what: str) -> None:
        self.count += 1
        self.failed += not holds
        print(f"{'PASS' if holds else 'FAIL'}  {what}", flush=True)

    def signed(self, at: datetime.datetime) -> int:
        """The status of a GET that was signed at that time."""
        path = f"/{BUCKET}/first"
        host = self.server.endpoint.removeprefix("http://")
        headers = sign_headers(self.server.credentials(), "GET", path, {}, {"host": host}, EMPTY_SHA256, at)
        return self.status(self.server.endpoint + path, headers)

    @staticmethod
    def status(url: str, headers: dict[str, str] | None = None) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def write(self, key: str) -> datetime.datetime:
        """Writes twice; the second is what is there. Returns its date."""
        client = self.server.client()
        client.put(BUCKET, key, b"old")
        client.put(BUCKET, key, b"new")
        answer = client.get(BUCKET, key)
        client.close()
        self.expect(answer.status == 200 and answer.body == b"new", f"{key}: what was written last is there")
        return email.utils.parsedate_to_datetime(answer.headers["last-modified"])

    def starts_in_1970(self, expired: str, last: datetime.datetime, name: str) -> datetime.datetime:
        self.clock.set("@1970-01-01 00:01:00")
        self.server.start()
        self.expect(self.status(expired) == 403, f"{name}: an expired URL stays so")
        self.expect(self.signed(now()) == 200, f"{name}: who knows the time is served")
        self.expect(self.signed(datetime.datetime(1970, 1, 1, 0, 1, tzinfo=datetime.timezone.utc)) == 403,
                    f"{name}: and nobody else")
        date = self.write(f"{name}-new")
        self.expect(date >= last, f"{name}: dates do not go back ({date})")
        behind = [float(line.split()[1]) for line in self.server.metrics().splitlines()
                  if line.startswith("outcrop_clock_behind_seconds ")]
        self.expect(behind != [] and behind[0] > 86400 * 365 * 50, f"{name}: the operator is told ({behind})")
        self.server.kill()
        return date

    def jumps(self) -> None:
        """While it runs."""
        self.clock.set("+0")
        self.server.start()
        last = self.write("before")
        for jump, ahead in [("-50y", None), ("-20m", None), ("+20m", datetime.timedelta(minutes=20)), ("-20m", None),
                            ("+1d", DAY), ("+0", None)]:
            self.clock.set(jump)
            time.sleep(2.5)
            if ahead is None:
                self.expect(self.signed(now()) == 200, f"{jump}: requests of now are served")
                date = self.write(f"after{jump}")
                self.expect(date >= last, f"{jump}: dates do not go back ({date})")
                last = date
            else:
                self.expect(self.signed(now() + ahead) == 200, f"{jump}: it counts, for it may be true")
                self.expect(self.signed(now()) == 403, f"{jump}: requests of another time are refused")
        client = self.server.client()
        keys = list(client.list_keys(BUCKET))
        client.close()
        self.expect(keys == sorted(keys) and len(keys) > 4, f"the listing is whole: {len(keys)} keys")
        self.server.kill()

    def trusted(self) -> None:
        """An operator may say that the past was wrong."""
        self.clock.set("@2001-01-01 00:00:00")
        self.server.launch("--trust-clock")
        self.server.wait_ready()
        past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
        self.expect(self.signed(past) == 200, "--trust-clock: it does")
        self.server.stop()
        self.server.start()
        self.expect(self.signed(past) == 200, "and goes on from there")
        self.server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    if LIBRARY is None:
        print("clock: SKIPPED, the package faketime is not installed")
        return 0
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        clock = Clock(Path(folder))
        with Server(options.outcropd, scratch=options.scratch, environment=clock.environment(LIBRARY)) as server:
            checks = Checks(server, clock)
            client = server.client()
            client.put(BUCKET, "", b"")
            client.close()
            last = checks.write("first")
            host = server.endpoint.removeprefix("http://")
            url = presign(server.credentials(), "GET", host, f"/{BUCKET}/first", 1)
            checks.expect(checks.status(url) == 200, "a URL counts")
            time.sleep(2.5)
            checks.expect(checks.status(url) == 403, "and expires")
            server.stop()
            last = checks.starts_in_1970(url, last, "1970 after a stop")
            checks.starts_in_1970(url, last, "1970 after a kill")
            checks.jumps()
            checks.trusted()
            server.keep = checks.failed > 0
    print(f"clock: {checks.count - checks.failed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
