#!/usr/bin/env python3
"""A server that keeps crashing starts in safe mode, serves reads in it, and leaves it by itself.

Kills are no crashes, and an operator may end safe mode at once.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "support")]

from nfsclient import Nfs3, NfsFailed
from server import Server, free_ports

BUCKET = "crashes"
SAFE_SECONDS = 6
PATIENCE_SECONDS = 120
NFS3ERR_ROFS = 30


class Checks:
    """One server that is made to crash."""

    def __init__(self, server: Server, nfs_port: int) -> None:
        self.server, self.nfs_port = server, nfs_port
        self.failed = self.count = 0

    def expect(self, holds: bool, what: str) -> None:
        self.count += 1
        self.failed += not holds
        print(f"{'PASS' if holds else 'FAIL'}  {what}", flush=True)

    def end_by(self, number: signal.Signals) -> None:
        os.kill(self.server.pid, number)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.server.running and time.monotonic() < deadline:
            time.sleep(0.01)

    def ready_reason(self) -> str:
        """What /health/ready says of the store; empty when it is ready."""
        url = f"http://127.0.0.1:{self.server.admin_port}/health/ready"
        try:
            with urllib.request.urlopen(url, timeout=10):
                return ""
        except urllib.error.HTTPError as refused:
            return refused.read().decode()
        except OSError:
            return "no answer"

    def start(self) -> str:
        """Starts until it is ready or says that it is in safe mode; what it says."""
        self.server.launch()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            said = self.ready_reason()
            if said == "" or "safe mode" in said:
                return said
            time.sleep(0.02)
        return "never got ready"

    def put(self, key: str) -> int:
        client = self.server.client()
        status = client.put(BUCKET, key, b"content of " + key.encode()).status
        client.close()
        return status

    def reads(self, key: str) -> bool:
        client = self.server.client()
        answer = client.get(BUCKET, key)
        listed = [name for name, _ in client.list_keys(BUCKET)]
        client.close()
        return answer.status == 200 and answer.body == b"content of " + key.encode() and key in listed

    def file_client(self, expected: int) -> None:
        """Reads what S3 wrote; a new file is answered with the status `expected`."""
        client = Nfs3(self.nfs_port, f"/{BUCKET}")
        body = client.read_file(client.lookup(client.root, "between"))
        self.expect(body == b"content of between", "NFS clients read")
        status = 0
        try:
            client.write_file(client.root, f"file{expected}", b"x")
        except NfsFailed as refused:
            status = refused.status
        self.expect(status == expected, f"and their writes are answered with {status}")
        client.rpc.close()

    def killed_is_not_crashed(self) -> None:
        for _ in range(4):
            self.end_by(signal.SIGKILL)
            self.expect(self.start() == "", "a server that was killed starts as ever")

    def crash_loop(self) -> None:
        for number in (signal.SIGSEGV, signal.SIGABRT):
            self.end_by(number)
            self.expect(self.start() == "", f"one that crashed once or twice does, too ({number.name})")
        self.expect(self.put("between") == 200, "and takes writes")
        self.end_by(signal.SIGSEGV)
        said = self.start()
        began = time.monotonic()
        self.expect("safe mode: the server crashed 3 times within 5 minutes, last by SIGSEGV" in said,
                    f"the third crash: {said}")
        self.expect(self.put("not") == 503, "writes are refused")
        self.expect(self.reads("between"), "reads are served")
        self.file_client(NFS3ERR_ROFS)
        while self.ready_reason() != "" and time.monotonic() < began + PATIENCE_SECONDS:
            time.sleep(0.1)
        self.expect(time.monotonic() - began >= SAFE_SECONDS - 1, "it lasts")
        self.expect(self.put("after") == 200, "and ends by itself")
        self.expect(self.reads("after"), "what is written then is there")
        self.file_client(0)

    def next_one_is_longer(self) -> None:
        self.end_by(signal.SIGSEGV)
        self.expect("safe mode" in self.start(), "another crash, and it is back")
        rows = [row for row in self.server.log_text().splitlines() if "read_only_for_seconds" in row]
        self.expect(len(rows) == 2 and f"read_only_for_seconds={2 * SAFE_SECONDS}" in rows[-1],
                    f"for twice as long: {rows[-1:]}")
        self.server.stop()
        (self.server.state / "crashes").unlink()
        self.expect(self.start() == "", "without the record of crashes it starts as ever")
        self.expect(self.reads("after") and self.put("end") == 200, "with all that there was")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--scratch", type=Path)
    options = parser.parse_args()
    nfs_port = free_ports(1)[0]
    config = (f'[nfs]\nlisten = "127.0.0.1:{nfs_port}"\n\n[[export]]\npath = "/{BUCKET}"\nbucket = "{BUCKET}"\n'
              'clients = ["127.0.0.1/32"]\nsquash = "none"\n')
    environment = {"OUTCROP_SERVER_SAFE_MODE": f"{SAFE_SECONDS}s"}
    with Server(options.outcropd, scratch=options.scratch, environment=environment, extra_config=config) as server:
        checks = Checks(server, nfs_port)
        client = server.client()
        client.create_bucket(BUCKET)
        client.close()
        checks.killed_is_not_crashed()
        checks.crash_loop()
        checks.next_one_is_longer()
        server.keep = checks.failed > 0
    print(json.dumps({"checks": checks.count, "failed": checks.failed}))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
