"""Rules about source text: sizes, banned calls, headers, notes without an issue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cpp_source import blank, functions
from repo import Finding, Repo

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# (rule, what, why, only in files matching)
_BANNED: list[tuple[str, re.Pattern[str], str, re.Pattern[str]]] = [
    ("banned-call", re.compile(r"(?<![\w.>])(?:std::|::)?(?:strcpy|strcat|sprintf|vsprintf)\s*\(|(?<![\w.>])(?:std::)?gets\s*\(\w"),
     "unbounded C string call: use std::string or fmt", re.compile("")),
    ("banned-call", re.compile(r"(?<![\w.>:])(?:std::|::)?s?rand\s*\("),
     "hidden global state: use outcrop::Random", re.compile("")),
    ("banned-call", re.compile(r"(?<![\w.>:])(?:std::|::)?(?:system|popen)\s*\("),
     "starts a shell", re.compile(r"^(?!tests/)")),
    ("detach", re.compile(r"\.\s*detach\s*\(\s*\)"),
     "a thread needs an owner that joins it", re.compile(r"^(?!storage/io/lone_thread\.h$)")),
    ("using-std", re.compile(r"using\s+namespace\s+std\s*;"), "name what you use", re.compile("")),
    ("sleep-in-test", re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\("),
     "wait for the event, not for time; where time itself is the input say so: // time is the input: WHY", re.compile(r"^tests/.*\.(?:cpp|h)$")),
]
_NOTE = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b(?!\(#\d+\))")
_TEXT = (".cpp", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".toml", ".yml", ".yaml", ".js", ".mjs")


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def file_length(repo: Repo) -> Iterator[Finding]:
    """No source file over 500 lines."""
    for path in sorted(set(repo.of(".cpp", ".h", ".py", ".js", ".mjs", ".cmake", "CMakeLists.txt") + repo.scripts)):
        lines = repo.text(path).count("\n")
        if lines > FILE_LINES_MAX:
            yield Finding(path, lines, "file-length", f"{lines} lines, {FILE_LINES_MAX} at most: split it")


def read_baseline(repo: Repo) -> dict[str, int]:
    """Functions that were too long when the rule came: `path name lines`. They may only shrink."""
    known: dict[str, int] = {}
    path = "tests/lint/long_functions.txt"
    if path in repo.files:
        for row in repo.text(path).splitlines():
            if row and not row.startswith("#"):
                file, name, lines = row.split()
                known[f"{file} {name}"] = int(lines)
    return known


def function_length(repo: Repo) -> Iterator[Finding]:
    """No function over 70 lines, except those of the baseline, which may only shrink."""
    baseline = read_baseline(repo)
    seen: set[str] = set()
    for path in repo.cpp:
        for function in functions(repo.text(path)):
            if function.lines <= FUNCTION_LINES_MAX:
                continue
            key = f"{path} {function.name}"
            seen.add(key)
            if function.lines > baseline.get(key, FUNCTION_LINES_MAX):
                yield Finding(path, function.line, "function-length",
                              f"{function.name} has {function.lines} lines, {FUNCTION_LINES_MAX} at most")
    for key in sorted(set(baseline) - seen):
        yield Finding("tests/lint/long_functions.txt", 1, "function-length",
                      f"{key}: short now, take it off the list")


def banned_calls(repo: Repo) -> Iterator[Finding]:
    """Calls that are unsafe, hide state, or make tests slow and flaky."""
    for path in repo.cpp:
        code = blank(repo.text(path))
        lines = repo.text(path).splitlines()
        for rule, pattern, why, where in _BANNED:
            if not where.search(path):
                continue
            for match in pattern.finditer(code):
                if rule == "sleep-in-test" and "// time is the input: " in lines[_line_of(code, match.start()) - 1]:
                    continue
                yield Finding(path, _line_of(code, match.start()), rule, f"{match.group(0).strip()} - {why}")


def notes_have_issue(repo: Repo) -> Iterator[Finding]:
    """A note for later carries its issue number, as in NOTE(#12)."""
    for path in sorted(set(repo.of(*_TEXT) + repo.scripts)):
        text = repo.text(path)
        for match in _NOTE.finditer(text):
            yield Finding(path, _line_of(text, match.start()), "note-without-issue",
                          f"{match.group(1)} needs an issue number: {match.group(1)}(#12)")


def headers(repo: Repo) -> Iterator[Finding]:
    """A header opens with what it is for and has #pragma once."""
    for path in repo.of(".h"):
        if path == "cmake/pch.h":  # force-included, never by name
            continue
        text = repo.text(path)
        if not re.match(r"//[/!]? ?\S|/\*", text):
            yield Finding(path, 1, "header-purpose", "the first line must be a comment that says what this is")
        if "#pragma once" not in text:
            yield Finding(path, 1, "pragma-once", "no #pragma once")
        if Path(path).with_suffix(".hpp").as_posix() in repo.files:
            yield Finding(path, 1, "header-twice", "a .h and a .hpp of one name")


def python_compiles(repo: Repo) -> Iterator[Finding]:
    """Python files parse."""
    for path in repo.of(".py"):
        try:
            compile(repo.text(path), path, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield Finding(path, error.lineno or 1, "python", str(error))
