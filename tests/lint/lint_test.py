#!/usr/bin/env python3
"""Proves that each lint rule fires: one planted violation per rule, and a clean tree without any."""

from __future__ import annotations

import sys
import tempfile
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import source_checks
import structure_checks
from cpp_source import functions
from repo import Finding, Repo

MODULES = "set(OUTCROP_MODULES\n  storage/base storage/ns api/s3 api/nfs server)\n"
HEADER = "// A thing.\n#pragma once\n"
LONG_BODY = "\n".join(f"  x += {i};" for i in range(80))


class Rules(unittest.TestCase):
    """Each test plants one violation in a tree of its own."""

    def setUp(self) -> None:
        self._dir = tempfile.TemporaryDirectory()
        self.root = Path(self._dir.name)
        self.put("CMakeLists.txt", MODULES)

    def tearDown(self) -> None:
        self._dir.cleanup()

    def put(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def rules(self, check: Callable[[Repo], Iterator[Finding]]) -> list[str]:
        return [f.rule for f in check(Repo(self.root))]

    def test_file_length(self) -> None:
        self.put("a.cpp", "\n" * 501)
        self.put("b.cpp", "\n" * 500)
        self.assertEqual(self.rules(source_checks.file_length), ["file-length"])

    def test_function_length_and_ratchet(self) -> None:
        self.put("a.cpp", f"int f(int x) {{\n{LONG_BODY}\n}}\n")
        self.assertEqual(self.rules(source_checks.function_length), ["function-length"])
        self.put("tests/lint/long_functions.txt", "a.cpp f 82\n")
        self.assertEqual(self.rules(source_checks.function_length), [])
        self.put("tests/lint/long_functions.txt", "a.cpp f 82\na.cpp gone 90\n")
        self.assertEqual(self.rules(source_checks.function_length), ["function-length"])

    def test_banned_calls(self) -> None:
        for call, rule in {
            "strcpy(a, b);": "banned-call", "std::rand();": "banned-call", "system(cmd);": "banned-call",
            "worker.detach();": "detach", "using namespace std;": "using-std",
        }.items():
            with self.subTest(call):
                self.put("server/a.cpp", call)
                self.assertEqual(self.rules(source_checks.banned_calls), [rule])

    def test_sleep_is_banned_in_tests_only(self) -> None:
        self.put("server/a.cpp", "std::this_thread::sleep_for(1s);")
        self.assertEqual(self.rules(source_checks.banned_calls), [])
        self.put("tests/a.cpp", "std::this_thread::sleep_for(1s);")
        self.assertEqual(self.rules(source_checks.banned_calls), ["sleep-in-test"])
        self.put("tests/a.cpp", "std::this_thread::sleep_for(1s);  // time is the input: a slow client")
        self.assertEqual(self.rules(source_checks.banned_calls), [])

    def test_words_in_comments_strings_and_members_are_free(self) -> None:
        self.put("a.cpp", '// rand()\nauto s = "system(x)"; r.rand(); std::error_code::system(); int grand(int);\n')
        self.assertEqual(self.rules(source_checks.banned_calls), [])

    def test_note_needs_issue(self) -> None:
        word = "TO" + "DO"
        self.put("a.cpp", f"// {word}: later\n// {word}(#12): later\n")
        self.assertEqual(self.rules(source_checks.notes_have_issue), ["note-without-issue"])

    def test_headers(self) -> None:
        self.put("a.h", HEADER)
        self.assertEqual(self.rules(source_checks.headers), [])
        self.put("b.h", "int x;\n")
        self.assertEqual(self.rules(source_checks.headers), ["header-purpose", "pragma-once"])

    def test_python(self) -> None:
        self.put("a.py", "def f(:\n")
        self.assertEqual(self.rules(source_checks.python_compiles), ["python"])

    def test_layering(self) -> None:
        self.put("server/a.cpp", '#include "storage/ns/x.h"\n')
        self.put("api/s3/a.cpp", '#include "api/s3/b.h"\n#include "storage/base/x.h"\n')
        self.assertEqual(self.rules(structure_checks.layering), [])
        self.put("storage/base/a.cpp", '#include "storage/ns/x.h"\n')
        self.put("storage/ns/a.cpp", '#include "server/x.h"\n')
        self.put("api/nfs/a.cpp", '#include "api/s3/b.h"\n')
        self.assertEqual(self.rules(structure_checks.layering), ["layering"] * 3)

    def test_private_headers(self) -> None:
        self.put("server/a.cpp", "#include <boost/beast/http.hpp>\n")
        self.assertEqual(self.rules(structure_checks.private_headers), [])
        self.put("api/s3/a.cpp", "#include <boost/beast/http.hpp>\n")
        self.assertEqual(self.rules(structure_checks.private_headers), ["private-header"])

    def test_docs(self) -> None:
        self.put("docs/a.md", "`storage/gone/x.cpp` and `CMakeLists.txt`, [x](b.md), `s3://a/b`, `a/b`\n")
        self.assertEqual(self.rules(structure_checks.docs_paths), ["stale-path"])
        self.assertEqual(self.rules(structure_checks.docs_links), ["stale-link"])

    def test_security_map(self) -> None:
        self.assertEqual(self.rules(structure_checks.security_map), ["security-map"])
        self.put("tests/a_test.cpp", "TEST(A, CVE_1_2_Three) {}\nTEST(A, Other) {}\n")
        row = "| CVE-1-2 | x | y | [`CVE_1_2_Three`](../tests/a_test.cpp) |\n"
        whole = "## Advisories\n| advisory | tests |\n|---|---|\n" + row * 50
        self.put("docs/security.md", whole)
        self.assertEqual(self.rules(structure_checks.security_map), [])
        self.put("docs/security.md", whole.replace("CVE_1_2_Three", "Other", 1))
        self.assertEqual(self.rules(structure_checks.security_map), ["security-map"])
        self.put("docs/security.md", whole.replace("CVE_1_2_Three", "CVE_1_2_Thre", 1))
        self.assertEqual(self.rules(structure_checks.security_map), ["security-map"])
        self.put("docs/security.md", whole.replace(row, "", 1))
        self.assertEqual(self.rules(structure_checks.security_map), ["security-map"])

    def test_architecture(self) -> None:
        self.assertEqual(self.rules(structure_checks.architecture_tree), ["architecture"])
        self.put("server/CMakeLists.txt", "")
        self.put("storage/ns/CMakeLists.txt", "")
        self.put("docs/ARCHITECTURE.md", "## The tree\n| `server` | x |\n| `storage/ns` | y |\n## Next\n| `no/folder` |\n")
        self.assertEqual(self.rules(structure_checks.architecture_tree), [])
        self.put("docs/ARCHITECTURE.md", "## The tree\n| `server` | x |\n| `storage/old` | y |\n")
        self.assertEqual(self.rules(structure_checks.architecture_tree), ["architecture"] * 2)

    def test_function_finder(self) -> None:
        text = """
namespace a {
class B {
 public:
  B() : x_{1} {
  }
  int get() const { return 1; }
  template <typename T>
  void set(T v) {
    if (v) { x_ = 2; }
    auto f = [] { return "}"; };
  }
 private:
  int x_{0};
};
enum class E { a, b };
int table[] = {1, 2};
Task<int> run(std::string_view s) noexcept {
  // }
  co_return 1;
}
}  // namespace a
"""
        self.assertEqual([(f.name, f.lines) for f in functions(text)][-3:], [("get", 1), ("set", 4), ("run", 4)])


if __name__ == "__main__":
    unittest.main()
