#!/usr/bin/env python3
"""Style as a test: runs every check over the checkout, prints findings, exits 1 on any."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import source_checks
import structure_checks
import tool_checks
from repo import Finding, Repo

Check = Callable[[Repo], Iterator[Finding]]

CHECKS: list[Check] = [
    source_checks.file_length,
    source_checks.function_length,
    source_checks.banned_calls,
    source_checks.notes_have_issue,
    source_checks.headers,
    source_checks.python_compiles,
    structure_checks.layering,
    structure_checks.private_headers,
    structure_checks.docs_paths,
    structure_checks.docs_links,
    structure_checks.architecture_tree,
    structure_checks.security_map,
    tool_checks.clang_format,
    tool_checks.shellcheck,
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--only", choices=[c.__name__ for c in CHECKS], help="run one check")
    options = parser.parse_args()
    repo = Repo(options.root)
    failed = 0
    for check in CHECKS:
        if options.only and check.__name__ != options.only:
            continue
        started = time.monotonic()
        findings = list(check(repo))
        verdict = "PASS" if not findings else "FAIL"
        print(f"{verdict}  {check.__name__:20s} {time.monotonic() - started:5.1f} s  {check.__doc__}")
        for finding in findings:
            print(f"      {finding}")
        failed += bool(findings)
    print(f"lint: {failed} checks failed, {len(repo.files)} files")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
