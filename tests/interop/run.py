#!/usr/bin/env python3
"""Runs real S3 clients against a fresh server: every scenario prints PASS or FAIL and its time."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import accounts
import administration
import advisories
import cli_clients
import dialects
import encryption
import guides
import iam_clients
import object_lock
import probes
import quotas
import raw_http
import sdk_clients
import selftest
import settings
import versioning
import web_identity
from context import Context, MissingClient

Scenario = Callable[[Context], None]
SCENARIOS: list[Scenario] = [*accounts.SCENARIOS, *raw_http.SCENARIOS, *administration.SCENARIOS,
                             *advisories.SCENARIOS, *cli_clients.SCENARIOS, *dialects.SCENARIOS, *encryption.SCENARIOS, *guides.SCENARIOS,
                             *iam_clients.SCENARIOS, *object_lock.SCENARIOS, *sdk_clients.SCENARIOS,
                             *selftest.SCENARIOS,
                             *probes.SCENARIOS, *quotas.SCENARIOS, *settings.SCENARIOS, *versioning.SCENARIOS,
                             *web_identity.SCENARIOS]


def run_one(scenario: Scenario, context: Context) -> str:
    """PASS, FAIL or MISSING; prints the line."""
    began, verdict, why = time.monotonic(), "PASS", ""
    try:
        scenario(context)
    except MissingClient as missing:
        verdict, why = "MISSING", str(missing)
    except Exception as error:  # a scenario may fail in any way; the next one still runs
        verdict, why = "FAIL", f"{type(error).__name__}: {error}"
    print(f"{verdict:7s} {scenario.__name__:34s} {time.monotonic() - began:6.1f} s  {scenario.__doc__}", flush=True)
    if why:
        print("        " + why.replace("\n", "\n        "))
    return verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcropd", type=Path, required=True, help="the server binary")
    parser.add_argument("--only", action="append", metavar="NAME", help="run scenarios whose name contains NAME")
    parser.add_argument("--multipart-mib", type=int, default=100, help="size of the large file (default 100)")
    parser.add_argument("--allow-missing-clients", action="store_true",
                        help="do not fail for clients the distribution does not have")
    parser.add_argument("--scratch", type=Path, help="where drives and files go (default: the system's temp directory)")
    options = parser.parse_args()
    chosen = [s for s in SCENARIOS if not options.only or any(part in s.__name__ for part in options.only)]
    if not chosen:
        parser.error("no scenario has that name; there are: " + ", ".join(s.__name__ for s in SCENARIOS))
    scratch = Path(tempfile.mkdtemp(prefix="outcrop-interop-", dir=options.scratch))
    context = Context(options.outcropd, options.multipart_mib, scratch)
    try:
        verdicts = [run_one(scenario, context) for scenario in chosen]
        if "FAIL" in verdicts:
            print(f"--- last server log lines ---\n{context.server_logs()}")
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        print("interrupted")
        return 1
    finally:
        context.close()
        shutil.rmtree(scratch, ignore_errors=True)
    passed, failed, missing = (verdicts.count(v) for v in ("PASS", "FAIL", "MISSING"))
    print(f"interop: {passed} passed, {failed} failed, {missing} without their client")
    return 1 if failed or (missing and not options.allow_missing_clients) else 0


if __name__ == "__main__":
    sys.exit(main())
