from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelshelf.errors import ModelshelfError
from tests.docs.reference import PAGES, error_classes

# The contract of the command line: no other status exists.
HTTP_OF_EXIT = {
    1: {500},
    2: {422},
    4: {404},
    5: {428},
    6: {409},
    7: {500, 502},
    8: {507},
    9: {401, 403},
    10: {503, 504},
}


@pytest.mark.parametrize(
    ("page", "lines"), PAGES.items(), ids=lambda value: getattr(value, "stem", "")
)
def test_the_reference_says_what_the_code_says(
    page: Path, lines: Callable[[], Iterator[str]]
) -> None:
    """`make reference` would change nothing."""
    assert page.read_text(encoding="utf-8") == "\n".join(lines())


def test_every_error_has_a_code_of_its_own() -> None:
    """A code names one kind of failure."""
    codes = [kind.code for kind in error_classes()]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.code)
def test_every_error_keeps_the_table_of_statuses(kind: type[ModelshelfError]) -> None:
    """Exit and HTTP status belong together as the command line's contract says."""
    assert kind.http_status in HTTP_OF_EXIT[kind.exit_status]


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.code)
def test_every_fact_of_a_message_is_a_documented_field(kind: type[ModelshelfError]) -> None:
    """What the sentence is made of can be read from the exception, and each has its own sentence."""
    wanted = set(re.findall(r"{(\w+)", kind.message + kind.hint + kind.kept))
    assert wanted <= {name for each in kind.__mro__ for name in _documented_fields(each)}


def _documented_fields(kind: type) -> set[str]:
    if not issubclass(kind, ModelshelfError):
        return set()
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id
        for field, sentence in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(sentence, ast.Expr)
    }


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.code)
def test_a_message_is_a_sentence_without_a_full_stop(kind: type[ModelshelfError]) -> None:
    """One sentence, which a face may put into its own; what was kept is whole sentences."""
    assert not kind.message.endswith(".")
    assert not kind.hint.endswith(".")
    assert kind.kept == "" or kind.kept.endswith(".")
