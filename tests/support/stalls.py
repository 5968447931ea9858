#!/usr/bin/env python3
"""Runs the unit tests of a build while their processes stand still at random moments.

A machine does that to them, too; a test that fails then judges how fast it is, not what it does.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LONGEST_STOP_SECONDS = 0.5
TEST_TIMEOUT_SECONDS = 900


def commands(build: Path) -> dict[str, list[str]]:
    """The GoogleTest programs that ctest knows under the label "unit", by name."""
    listing = subprocess.run(["ctest", "--test-dir", str(build), "-L", "^unit$", "--show-only=json-v1"],
                             check=True, capture_output=True, text=True)
    tests = json.loads(listing.stdout)["tests"]
    return {test["name"]: test["command"] for test in tests if "command" in test}


def run(command: list[str], chance: random.Random, output: Path) -> int:
    """The exit code of the program, which is stopped again and again."""
    deadline = time.monotonic() + TEST_TIMEOUT_SECONDS
    with output.open("wb") as log, tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        while process.poll() is None:
            time.sleep(chance.uniform(0.01, 0.3))
            process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.05, LONGEST_STOP_SECONDS))
            process.send_signal(signal.SIGCONT)
            if time.monotonic() > deadline:
                process.kill()
        return process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, required=True, help="a build folder, like build/dev")
    parser.add_argument("--only", default="", help="tests whose names match this expression")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    options = parser.parse_args()
    print(f"stalls: seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    failed = []
    tests = {name: command for name, command in commands(options.build).items() if re.search(options.only, name)}
    for name, command in tests.items():
        output = options.build / f"stalls.{name}.log"
        code = run(command, chance, output)
        text = output.read_text(errors="replace")
        if code != 0:
            failed.append(name)
            broken = sorted(set(re.findall(r"\[  FAILED  \] (\w+\S*\.\S+)", text)))
            print(f"FAIL  {name} ({code}): {', '.join(broken) or text[-2000:]}", flush=True)
        else:
            print(f"PASS  {name}", flush=True)
    print(f"stalls: {len(tests)} programs, {len(failed)} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
