"""The files a check looks at, and the shape of what it finds."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

CPP = {".cpp", ".h", ".cc", ".hpp"}
_SKIPPED = {".git", "build", "outcrop-data", "node_modules", "__pycache__", "corpus"}


@dataclass(frozen=True)
class Finding:
    """One broken rule at one place."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}] {self.text}"


@dataclass
class Repo:
    """A checkout: its files, read once."""

    root: Path
    _texts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def files(self) -> list[str]:
        """Paths relative to the root: what git knows or would add; without git, what lies there."""
        listing = subprocess.run(
            ["git", "-C", str(self.root), "ls-files", "-co", "--exclude-standard", "-z"],
            capture_output=True, check=False,
        )
        if listing.returncode == 0:
            names = listing.stdout.decode().split("\0")
        else:
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()]
        keep = [n for n in names if n and not _SKIPPED.intersection(Path(n).parts)]
        return sorted({n for n in keep if (self.root / n).is_file()})

    def text(self, path: str) -> str:
        """The text of a file; bytes that are not UTF-8 are replaced."""
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self._texts[path]

    def of(self, *suffixes: str) -> list[str]:
        """Files whose name ends with one of the suffixes."""
        return [f for f in self.files if f.endswith(suffixes)]

    @property
    def cpp(self) -> list[str]:
        """Our C++ files."""
        return [f for f in self.files if Path(f).suffix in CPP]

    @property
    def scripts(self) -> list[str]:
        """Shell scripts: by suffix, or by their first line."""
        plain = [f for f in self.files if "." not in Path(f).name or f.endswith(".sh")]
        return [f for f in plain if self.text(f).startswith(("#!/usr/bin/env bash", "#!/bin/sh", "#!/bin/bash"))]
