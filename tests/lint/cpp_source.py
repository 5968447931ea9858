"""A light reader of C++ text: blanks comments and literals, finds function bodies by braces."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"([^()\\\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'""",
    re.DOTALL,
)
_NOT_A_FUNCTION = re.compile(
    r"^(?:inline\s+)?(?:namespace|class|struct|union|enum|extern\s*\"|export)\b|=\s*$"
)
_CONTROL = re.compile(r"^\s*(?:if|for|while|switch|catch|else|do|try|return)\b")


@dataclass(frozen=True)
class Function:
    """A function body: where it opens, how many lines it takes, and its name."""

    line: int
    lines: int
    name: str


def blank(text: str) -> str:
    """The same text, line for line, without comments and without what stands in literals."""

    def hide(match: re.Match[str]) -> str:
        token = match.group(0)
        lines = "\n" * token.count("\n")
        if token.startswith(("//", "/*")):
            return " " + lines
        return token[0] + lines + token[-1] if not token.startswith("R") else '""' + lines

    return _TOKEN.sub(hide, text)


def _without_directives(text: str) -> str:
    out: list[str] = []
    continued = False
    for line in text.split("\n"):
        directive = continued or line.lstrip().startswith("#")
        continued = directive and line.rstrip().endswith("\\")
        out.append("" if directive else line)
    return "\n".join(out)


def _opens_function(head: str) -> bool:
    head = re.sub(r"^(?:\s*(?:public|private|protected)\s*:)+", "", head)
    head = re.sub(r"^\s*template\s*<[^{};]*?>\s*(?=[A-Za-z_\[])", "", head.strip())
    if not head or _NOT_A_FUNCTION.search(head) or _CONTROL.match(head):
        return False
    return "(" in head and head.rstrip()[-1:] not in {"(", ","}


def _name_of(head: str) -> str:
    match = re.search(r"([A-Za-z_][\w:~]*|operator\S+)\s*\(", head)
    return match.group(1) if match else "?"


def functions(text: str) -> list[Function]:
    """Every outermost function body of a file; lambdas and blocks count with their function."""
    code = _without_directives(blank(text))
    found: list[Function] = []
    depth_of_function: int | None = None
    depth = 0
    line = 1
    head_start = 0
    opened: tuple[int, str] = (0, "")
    for position, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "{":
            head = code[head_start:position]
            if depth_of_function is None and _opens_function(head):
                depth_of_function = depth
                opened = (line, _name_of(head))
            depth += 1
            head_start = position + 1
        elif char == "}":
            depth -= 1
            head_start = position + 1
            if depth_of_function is not None and depth == depth_of_function:
                found.append(Function(opened[0], line - opened[0] + 1, opened[1]))
                depth_of_function = None
        elif char == ";" and depth_of_function is None:
            head_start = position + 1
    return found
