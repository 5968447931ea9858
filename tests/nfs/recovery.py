#!/usr/bin/env python3
"""kill -9 under a hard mount: synced bytes are intact, locks are reclaimed, no handle of a live file is stale."""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "support")]

from guest import Guest, Result
from run import compare
from server import Server, free_ports

LEASE_SECONDS = 10


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--version", default="4.2")
    parser.add_argument("--seed", type=int, default=0, help="0: a new one")
    options = parser.parse_args()
    seed = options.seed or random.randrange(1, 1 << 31)
    pick = random.Random(seed)
    port = free_ports(1)[0]
    config = (f'[nfs]\nlisten = "127.0.0.1:{port}"\nlease = "{LEASE_SECONDS}s"\ngrace = "{LEASE_SECONDS}s"\n'
              '[[export]]\nbucket = "recovery"\nclients = ["127.0.0.0/8"]\nsquash = "none"\n')
    with Server(options.outcropd, extra_config=config) as server:
        client = server.client()
        client.create_bucket("recovery")
        client.close()
        seconds = options.kills * 2 * LEASE_SECONDS + 10
        guest = Guest(port, "/recovery", f"vers={options.version},port={port}", options.version,
                      {"RUN_SECONDS": str(seconds)}, timeout_seconds=seconds + 240)
        outcome: list[Result] = []
        thread = threading.Thread(
            target=lambda: outcome.append(guest.run(_HERE / "recovery" / "client.sh", mounts=2)))
        thread.start()
        wait_for_files(server)
        for kill in range(options.kills):
            time.sleep(LEASE_SECONDS * (0.5 + pick.random()))
            server.kill()
            print(f"kill {kill + 1}: started again in {server.start():.1f} s", flush=True)
        thread.join()
        result = outcome[0]
        problems = [] if result.code == 0 else [f"exit {result.code}", *result.output.splitlines()[-15:]]
        client = server.client()
        problems = problems or compare(client, "recovery", result.manifest)
        client.close()
    for problem in problems[:20]:
        print(problem)
    print(f"recovery: seed {seed}, {len(result.manifest)} files, {options.kills} kills, {len(problems)} problems")
    return 1 if problems else 0


def wait_for_files(server: Server) -> None:
    """Returns when the guest has begun to write."""
    client = server.client()
    for _ in range(600):
        if sum(1 for _ in client.list_keys("recovery")) > 3:
            break
        time.sleep(0.2)
    client.close()


if __name__ == "__main__":
    sys.exit(main())
