from __future__ import annotations

import pytest

from modelshelf.identify.condition import Condition
from modelshelf.identify.facts import Facts
from modelshelf.identify.network import Declared, Last, Only, Tokens, Unmeasured, Within
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import Shapes, index_of

LAYERS: Shapes = {"body.2.weight": (64, 64), "body.10.weight": (12, 64), "body.0.weight": (64, 3)}
TOKENS: Shapes = {"<cat>": (768,), "<dog>": (4, 768)}


@pytest.mark.parametrize(
    ("condition", "shapes", "holds"),
    [
        (Last("body.#.weight", (12, 64)), LAYERS, True),
        (Last("body.#.weight", ((12, 48), None)), LAYERS, True),
        (Last("body.#.weight", (64, 64)), LAYERS, False),
        (Last("body.#.weight", (12,)), LAYERS, False),
        (Last("head.#.weight", (12, 64)), LAYERS, False),
        (Only(("body.#.weight",)), LAYERS, True),
        (Only(("body.#.weight", "body.#.bias")), LAYERS, True),
        (Only(("body.#.weight",)), LAYERS | {"head.weight": (1,)}, False),
        (Only(("body.#.weight",)), LAYERS | {"betas": (1,), "x._extra_state": (1,)}, True),
        (Only(("body.#.weight",)), {"betas": (1,)}, False),
        (Only(("body.#.weight",)), {}, False),
        (Within("a body", ("body.",)), LAYERS | {"betas": (1,)}, True),
        (Within("a body", ("body.",)), LAYERS | {"head.weight": (1,)}, False),
        (Within("a body", ("body.",)), LAYERS | {"vae.head.weight": (1,)}, False),
        (Within("a body", ("body.",)), LAYERS | {"model_ema.num_updates": (1,)}, True),
        (Within("a body", ("body.",)), {"model_ema.num_updates": (1,)}, False),
        (Tokens(768), TOKENS, True),
        (Tokens(1024), TOKENS, False),
        (Tokens(768), TOKENS | {"weight": (768,)}, False),
        (Tokens(768), {"<cat>": (768,)}, False),
        (Tokens(768, least=1), {"<cat>": (768,)}, True),
        (Declared("said", ("yes",)), {}, False),
        (Unmeasured("body.#.weight"), LAYERS, False),
        (Unmeasured("head.#.weight"), LAYERS, False),
    ],
)
def test_a_condition_on_the_whole_file(
    condition: Condition, shapes: Shapes, *, holds: bool
) -> None:
    """Numbers are ordered as numbers, and a name that is not there decides nothing."""
    assert (condition.check(Facts(index_of(shapes))) is not None) is holds


def test_what_a_file_says_of_itself_is_one_of_the_words_or_nothing() -> None:
    """Another word, or none, holds nothing."""
    index = TensorIndex({"a": TensorEntry("F16", (1,), 0, 2)}, metadata={"said": "yes"})
    assert Declared("said", ("yes", "no")).check(Facts(index)) is not None
    assert Declared("said", ("no",)).check(Facts(index)) is None


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Last("body.#.weight", (12, None)), "a last tensor `body.#.weight` of shape [12, any]"),
        (Only(("a", "b")), "no tensor beside `a`, `b`"),
        (Within("a body", ("body.",)), "no tensor beside those of a body"),
        (Unmeasured("a"), "tensor `a` without a shape"),
        (Tokens(768), "nothing but 2 or more tokens, 768 wide"),
        (Declared("said", ("yes", "no")), "metadata `said` that says yes or no"),
    ],
)
def test_a_near_miss_on_the_whole_file_reads_as_a_sentence(
    condition: Condition, words: str
) -> None:
    """For people who wonder why a rule did not agree."""
    assert str(condition) == words
