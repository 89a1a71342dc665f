from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from modelshelf.cli.app import VERBS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
TESTS = sorted(ROOT.glob("tests/**/test_*.py"))
RUN = {"python", "console"}
"""Blocks in these languages are run by Sybil."""
PLAIN = {"text", "mermaid"}
"""Blocks that show something and claim nothing."""
SENTENCE = 4
"""Words behind `test` from which on a name says what happens, as `test_nothing_is_said_at_first` does."""


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_code_block_runs_or_says_why_not(page: Path) -> None:
    """Documentation that nobody runs is soon wrong; `<!-- not run: reason -->` is the exception."""
    text = page.read_text(encoding="utf-8")
    silent = [
        f"line {text[: block.start()].count(chr(10)) + 1}: {block['language'] or 'no language'}"
        for block in re.finditer(
            r"^```(?P<language>\S*)[^\n]*\n.*?^```$", text, re.MULTILINE | re.DOTALL
        )
        if block["language"] not in RUN | PLAIN
        and not re.search(r"<!-- not run: [^>]+ -->\n+$", text[: block.start()])
    ]
    assert silent == []


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A file that is linked to exists."""
    links = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_shown_in_a_guide(verb: str) -> None:
    """Besides the reference, some guide uses it."""
    guides = [*ROOT.glob("docs/guides/*.md"), ROOT / "README.md"]
    assert any(f"shelf {verb}" in guide.read_text(encoding="utf-8") for guide in guides)


@pytest.mark.parametrize("module", TESTS, ids=names(TESTS))
def test_every_test_says_what_it_shows(module: Path) -> None:
    """Each test has one sentence, or is called by one, so that a list of them reads as a description."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    silent = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
        and len(node.name.split("_")) <= SENTENCE
    ]
    assert silent == []
