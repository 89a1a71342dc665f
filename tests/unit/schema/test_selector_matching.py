from __future__ import annotations

import pytest

from modelshelf.schema.config import parse_config
from modelshelf.schema.selector import And, Attribute, Everything, Not, Operator, Or, Term
from modelshelf.schema.selector_form import Nothing
from modelshelf.schema.selector_matching import matches, searchable_text, values_of

DIGEST = "ab" * 32
MAIN = parse_config(
    {
        "key": "AB12",
        "name": "Straße",
        "type": "main",
        "format": "checkpoint",
        "bases": ["sd-1", "sd-2"],
        "path": "models/a.ckpt",
        "hash": f"blake3:{DIGEST.upper()}",
        "sha256": "cd" * 32,
        "description": "An Ink\nmodel",
        "tags": ["SFW", "line art"],
        "trigger_phrases": ["inked"],
        "author": "Somebody",
        "license": "MIT",
        "source": "https://example.org/a",
        "prediction_type": "epsilon",
        "size": 1000,
        "created_at": 5.5,
        "updated_at": 6,
    }
)
BARE = parse_config(
    {"name": "x", "type": "lora", "format": "lycoris", "base": "unknown", "path": "x"}
)


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "expected"),
    [
        (Attribute.KEY, Operator.STARTS, "ab", True),
        (Attribute.NAME, Operator.IS, "STRASSE", True),
        (Attribute.NAME, Operator.STARTS, "stras", True),
        (Attribute.NAME, Operator.HAS, "ASS", True),
        (Attribute.NAME, Operator.IS, "Stra", False),
        (Attribute.NAME, Operator.HAS, "", True),
        (Attribute.NAME, Operator.LESS, "z", False),
        (Attribute.NAME, Operator.IS, 7, False),
        (Attribute.TYPE, Operator.IS, "Main", True),
        (Attribute.BASE, Operator.IS, "sd-2", True),
        (Attribute.BASE, Operator.IS, "sdxl", False),
        (Attribute.FORMAT, Operator.STARTS, "check", True),
        (Attribute.VARIANT, Operator.IS, "normal", True),
        (Attribute.PREDICTION, Operator.IS, "epsilon", True),
        (Attribute.TAG, Operator.IS, "sfw", True),
        (Attribute.TAG, Operator.IS, "line", False),
        (Attribute.AUTHOR, Operator.IS, "somebody", True),
        (Attribute.LICENSE, Operator.IS, "mit", True),
        (Attribute.SOURCE, Operator.STARTS, "https://example.org", True),
        (Attribute.PATH, Operator.HAS, ".ckpt", True),
        (Attribute.HASH, Operator.IS, DIGEST, True),
        (Attribute.HASH, Operator.STARTS, "blake3:ABab", True),
        (Attribute.HASH, Operator.STARTS, "cdcd", True),
        (Attribute.HASH, Operator.STARTS, "blake3", False),
        (Attribute.SIZE, Operator.IS, 1000.0, True),
        (Attribute.SIZE, Operator.MORE, 1000, False),
        (Attribute.SIZE, Operator.AT_LEAST, 1000, True),
        (Attribute.SIZE, Operator.AT_MOST, 1000, True),
        (Attribute.SIZE, Operator.LESS, 1001, True),
        (Attribute.SIZE, Operator.HAS, 1000, False),
        (Attribute.SIZE, Operator.IS, "1000", False),
        (Attribute.SIZE, Operator.LESS, float("nan"), False),
        (Attribute.ADDED, Operator.MORE, 5, True),
        (Attribute.CHANGED, Operator.IS, 6, True),
        (Attribute.USED, Operator.AT_LEAST, 0, False),
        (Attribute.TEXT, Operator.HAS, "INK", True),
        (Attribute.TEXT, Operator.HAS, "line art", True),
        (Attribute.TEXT, Operator.HAS, "example.org", True),
        (Attribute.TEXT, Operator.HAS, "mit", False),
    ],
)
def test_a_term_holds_as_its_operator_says(
    attribute: Attribute,
    operator: Operator,
    value: str | float,
    expected: bool,  # noqa: FBT001
) -> None:
    """Whatever the case of letters, one of several values, numbers as numbers."""
    assert matches(Term(attribute, operator, value), MAIN) is expected


@pytest.mark.parametrize("attribute", [each for each in Attribute if not values_of(BARE, each)])
def test_a_record_without_the_attribute_fails_every_term(attribute: Attribute) -> None:
    """And so fits the opposite of it."""
    for operator in Operator:
        for value in ("", "x", 0, -1.5):
            term = Term(attribute, operator, value)
            assert not matches(term, BARE)
            assert matches(Not(term), BARE)


def test_conditions_are_joined() -> None:
    """All of none hold, one of none does not."""
    yes, no = Term(Attribute.NAME, Operator.IS, "x"), Term(Attribute.NAME, Operator.IS, "y")
    answers = [
        matches(each, BARE)
        for each in (
            Everything,
            Nothing,
            And((yes, no)),
            And((yes, yes)),
            Or((no, yes)),
            Or((no, no)),
        )
    ]
    assert answers == [True, False, False, True, True, False]


def test_what_a_full_text_find_looks_through() -> None:
    """One text, folded; what is empty takes no line."""
    assert searchable_text(MAIN).splitlines() == [
        "strasse",
        "an ink",
        "model",
        "https://example.org/a",
        "somebody",
        "sfw",
        "line art",
        "inked",
    ]
    assert searchable_text(BARE) == "x"
