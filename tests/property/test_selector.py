from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.errors import InvalidSelectorError
from modelshelf.schema.config import AnyModelConfig, parse_config
from modelshelf.schema.selector import And, Attribute, Not, Operator, Or, Selector, Term
from modelshelf.schema.selector_form import VOCABULARIES, simplified
from modelshelf.schema.selector_language import parse_selector, render
from modelshelf.schema.selector_matching import NUMBERS, matches

pytestmark = pytest.mark.property

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["", "ink", "INK", "a b", "or", 'a"b', "\\", "-x", "x*"]
)
NUMBERS_ASKED = (
    st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from([0, 1000, 2_000_000_000, 1_767_139_200, 1_767_225_600.0, 2**63, math.inf])
)
WORDS = st.sampled_from([each.value for words in VOCABULARIES.values() for each in words])
TERMS = st.builds(
    Term,
    st.sampled_from(Attribute),
    st.sampled_from(Operator),
    TEXTS | WORDS | NUMBERS_ASKED,
) | st.builds(Term, st.sampled_from(sorted(NUMBERS)), st.sampled_from(Operator), NUMBERS_ASKED)
SELECTORS: st.SearchStrategy[Selector] = st.recursive(
    TERMS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts)))
        | inner.map(Not)
    ),
    max_leaves=8,
)
PIECES = st.sampled_from(
    [
        *(f"{each.value}{sign}" for each in Attribute for sign in (":", "=", "<", ":>=", "~", "^")),
        *("(", ")", "-", " ", " or ", " and ", " not ", '"', "*", "\\", "@", "2GB", "90d", "never"),
        *("2026-01-31", "2026-02-31", "lora", "sdxl", "ink", "9" * 30, "1e400", "\n", "²", "٣"),
    ]
)


@st.composite
def configs(draw: st.DrawFn) -> AnyModelConfig:
    """Draw records whose values are near those that are asked for."""
    texts = st.sampled_from(["ink", "Ink", "a b", "x*", "Straße", 'a"b', "\\", "-x"])
    times = st.none() | st.sampled_from([0, 1_767_139_200, 1_767_225_600.5])
    return parse_config(
        {
            "key": draw(st.sampled_from(["", "ab12", "AB"])),
            "name": draw(texts),
            "type": "main",
            "format": "checkpoint",
            "bases": draw(st.sampled_from([["sdxl"], ["sd-1", "sd-2"], ["any"]])),
            "path": draw(texts),
            "hash": draw(st.sampled_from(["", "blake3:AB12", "cd"])),
            "description": draw(st.none() | texts),
            "source": draw(st.none() | texts),
            "author": draw(st.none() | texts),
            "license": draw(st.just("") | texts),
            "tags": draw(st.lists(texts, max_size=2)),
            "trigger_phrases": draw(st.lists(texts, max_size=2)),
            "prediction_type": draw(st.none() | st.just("epsilon")),
            "size": draw(st.none() | st.sampled_from([0, 1000, 2**63 - 1])),
            "created_at": draw(times),
            "updated_at": draw(times),
            "last_used_at": draw(times),
        }
    )


class TestLanguage:
    """One parser for CLI, HTTP and web, compiled to SQL, and the YAML store evaluates the same tree."""

    @given(selector=SELECTORS)
    def test_what_is_written_is_read_back(self, selector: Selector) -> None:
        """A tree's text means the tree, whenever it is read."""
        assert parse_selector(render(selector), now=NOW) == simplified(selector)

    @given(selector=SELECTORS, config=configs())
    def test_simplifying_changes_no_answer(
        self, selector: Selector, config: AnyModelConfig
    ) -> None:
        """The one form fits the same records, and is its own form."""
        form = simplified(selector)
        assert matches(form, config) == matches(selector, config)
        assert simplified(form) == form

    @given(text=st.lists(PIECES | st.text(max_size=3), max_size=25).map("".join))
    def test_garbage_is_read_or_told(self, text: str) -> None:
        """Any text is a tree or the one error, whose column is in the text and whose words can be printed."""
        try:
            selector = parse_selector(text, now=NOW)
        except InvalidSelectorError as error:
            assert 1 <= error.column <= len(text) + 1  # noqa: PT017 - either outcome is right
            assert str(error).isprintable()  # noqa: PT017
        else:
            assert parse_selector(render(selector), now=NOW) == selector
