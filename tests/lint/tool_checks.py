"""Rules that an installed tool decides: clang-format and shellcheck."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from repo import Finding, Repo


def _run(repo: Repo, command: list[str]) -> str:
    done = subprocess.run(command, cwd=repo.root, capture_output=True, text=True, check=False, timeout=300)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()


def clang_format(repo: Repo) -> Iterator[Finding]:
    """Every C++ file is as clang-format-19 writes it."""
    if not repo.cpp:
        return
    if shutil.which("clang-format-19") is None:
        yield Finding(".clang-format", 1, "clang-format", "clang-format-19 is missing: tools/setup --tests")
        return
    for start in range(0, len(repo.cpp), 50):
        output = _run(repo, ["clang-format-19", "--dry-run", "-Werror", *repo.cpp[start:start + 50]])
        first: dict[str, int] = {}
        for line in output.splitlines():
            if ": error:" in line:
                path, number, _ = line.split(":", 2)
                first.setdefault(path, int(number))
        for path, at in first.items():
            yield Finding(path, at, "clang-format", "run: clang-format-19 -i " + path)


def shellcheck(repo: Repo) -> Iterator[Finding]:
    """Scripts are clean under shellcheck and stop at the first error."""
    for path in repo.scripts:
        if "set -euo pipefail" not in repo.text(path):
            yield Finding(path, 1, "shell", "no `set -euo pipefail`")
    if shutil.which("shellcheck") is None:
        print("note: shellcheck is not installed, that check is left out (tools/setup --tests)")
        return
    if repo.scripts:
        output = _run(repo, ["shellcheck", "-f", "gcc", *repo.scripts])
        for line in output.splitlines():
            where, at, _, text = line.split(":", 3)
            yield Finding(where, int(at), "shellcheck", text.strip())
