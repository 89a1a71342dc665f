"""The list of faults that a download must survive: none of the sixty goes untested."""

from __future__ import annotations

import ast
import re
from pathlib import Path

_SENTENCE = re.compile(r"Faults? (\d+)(?: and (\d+))?")


def test_each_of_the_sixty_faults_has_its_test() -> None:
    """The sentence of a test names the fault that it plays, by its number."""
    played: set[int] = set()
    for path in Path(__file__).parent.glob("test_download_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found = _SENTENCE.match(ast.get_docstring(node) or "")
                played |= {int(number) for number in found.groups() if number} if found else set()
    assert played == set(range(1, 61))
