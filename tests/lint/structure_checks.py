"""Rules about structure: layering, the tree of ARCHITECTURE.md, paths named in the docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cpp_source import blank
from repo import Finding, Repo

_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
_SYSTEM_INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>", re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PATH = re.compile(r"^[A-Za-z0-9_.][\w./+-]*$")

# Third-party headers that one kind of folder keeps to itself.
_PRIVATE_HEADERS: list[tuple[str, tuple[str, ...]]] = [
    ("boost/beast", ("server/", "tools/", "tests/")),
    ("rocksdb/", ("storage/meta/", "storage/kvfs/", "tests/")),
    ("liburing", ("storage/io/", "tests/")),
    ("toml++", ("server/", "tests/")),
    ("pugixml", ("api/s3/", "tools/", "tests/")),
    ("CLI/", ("tools/",)),
]
_PATH_STARTS = {
    "api", "auth", "cmake", "conf", "docker", "docs", "server", "storage", "tests", "tools", ".ci",
}


def _modules(repo: Repo) -> list[str]:
    """The folders of the root CMakeLists.txt, lowest layer first."""
    match = re.search(r"set\(OUTCROP_MODULES\s+([^)]*)\)", repo.text("CMakeLists.txt"))
    return match.group(1).split() if match else []


def _module_of(path: str, modules: list[str]) -> str | None:
    owners = [m for m in modules if path.startswith(m + "/")]
    return max(owners, key=len) if owners else None


def _allowed(importer: str, imported: str, modules: list[str]) -> bool:
    if importer == imported:
        return True
    if importer.startswith("storage/") and not imported.startswith("storage/"):
        return False
    protocols = {"api/s3", "api/nfs", "api/admin"}
    if importer in protocols and imported in protocols:
        return False
    return modules.index(imported) < modules.index(importer)


def layering(repo: Repo) -> Iterator[Finding]:
    """An include goes to the own folder or to a lower one; protocols never see each other."""
    modules = _modules(repo)
    if not modules:
        yield Finding("CMakeLists.txt", 1, "layering", "no OUTCROP_MODULES list found")
        return
    for path in repo.cpp:
        text = repo.text(path)
        importer = _module_of(path, modules)
        for match in _INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            included = match.group(1)
            imported = _module_of(included, modules)
            if importer is None or imported is None:
                continue
            if not _allowed(importer, imported, modules):
                yield Finding(path, line, "layering", f"{importer} must not include {included}")


def private_headers(repo: Repo) -> Iterator[Finding]:
    """A library that one folder wraps is included by that folder only."""
    for path in repo.cpp:
        text = blank(repo.text(path))
        for match in _SYSTEM_INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            for prefix, owners in _PRIVATE_HEADERS:
                if match.group(1).startswith(prefix) and not path.startswith(owners):
                    yield Finding(path, line, "private-header", f"<{match.group(1)}> belongs to {', '.join(owners)}")


def _markdown(repo: Repo) -> list[str]:
    return [f for f in repo.of(".md") if f.startswith("docs/") or "/" not in f]


def docs_paths(repo: Repo) -> Iterator[Finding]:
    """Every path in backticks in the docs exists."""
    for doc in _markdown(repo):
        for number, line in enumerate(repo.text(doc).splitlines(), start=1):
            for span in _CODE_SPAN.findall(line):
                word = span.split()[0].removeprefix("./")
                if not _PATH.match(word) or "/" not in word or word.split("/")[0] not in _PATH_STARTS:
                    continue
                if not (repo.root / word).exists():
                    yield Finding(doc, number, "stale-path", f"{word} does not exist")


def docs_links(repo: Repo) -> Iterator[Finding]:
    """Every relative link in the docs leads to a file."""
    link = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
    for doc in _markdown(repo):
        for number, line in enumerate(repo.text(doc).splitlines(), start=1):
            for target in link.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not (repo.root / Path(doc).parent / target).exists():
                    yield Finding(doc, number, "stale-link", f"{target} does not exist")


_ADVISORIES_AT_LEAST = 50


def security_map(repo: Repo) -> Iterator[Finding]:
    """Every test that docs/security.md names is in its file, and every advisory is in the name of one."""
    doc = "docs/security.md"
    if doc not in repo.files:
        yield Finding(doc, 1, "security-map", "missing")
        return
    advisories, heading = 0, ""
    for number, line in enumerate(repo.text(doc).splitlines(), start=1):
        heading = line if line.startswith("## ") else heading
        tests = re.findall(r"\[`([^`]+)`\]\(\.\./(tests/[^)#\s]+)\)", line)
        for name, path in tests:
            if not Path(path).name == name and (path not in repo.files or not re.search(rf"\b{name}\b", repo.text(path))):
                yield Finding(doc, number, "security-map", f"{path} has no {name}")
        if heading == "## Advisories" and line.startswith("| ") and not line.startswith("| advisory "):
            advisories += 1
            known = re.sub(r"\W", "_", line.split("|")[1].strip())
            if not any(known in name for name, _ in tests):
                yield Finding(doc, number, "security-map", f"no test has {known} in its name")
    if advisories < _ADVISORIES_AT_LEAST:
        yield Finding(doc, 1, "security-map", f"{advisories} advisories, at least {_ADVISORIES_AT_LEAST} wanted")


def architecture_tree(repo: Repo) -> Iterator[Finding]:
    """The tree in ARCHITECTURE.md names every module, and nothing that is gone."""
    doc = "docs/ARCHITECTURE.md"
    if doc not in repo.files:
        yield Finding(doc, 1, "architecture", "missing")
        return
    text = repo.text(doc)
    section = re.search(r"^## The tree$(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if section is None:
        yield Finding(doc, 1, "architecture", "no section `## The tree` with a table of folders")
        return
    named = {t.rstrip("/") for t in re.findall(r"^\| *`([^`]+)`", section.group(1), re.MULTILINE)}
    line = text[: section.start()].count("\n") + 1
    for path in sorted(named):
        if path.split("/")[0] in _PATH_STARTS and not (repo.root / path).is_dir():
            yield Finding(doc, line, "architecture", f"{path}/ is in the tree but not in the file system")
    for module in _modules(repo):
        if (repo.root / module / "CMakeLists.txt").exists() and module not in named:
            yield Finding(doc, line, "architecture", f"{module}/ is a module but not in the tree")
