from __future__ import annotations

import subprocess
import sys

import pytest

from modelshelf.errors import AmbiguousIdentityError, UsageError
from modelshelf.identify import BUILT_IN, Families, Family, Trait, identify
from modelshelf.identify.condition import (
    Absent,
    Adapts,
    Both,
    Condition,
    Either,
    Marker,
    Tensor,
    Wrapped,
)
from modelshelf.identify.layout import Part
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType
from tests.unit.identify.layouts import index_of


def family(
    family_id: str,
    *conditions: Condition,
    special_case_of: tuple[str, ...] = (),
    fallback: bool = False,
) -> Family:
    return Family(
        id=family_id,
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.SD_1,),
        conditions=conditions,
        special_case_of=special_case_of,
        is_fallback=fallback,
    )


A, B = Tensor("a"), Tensor("b")
BOTH = index_of({"a": (1,), "b": (2,)})


def test_two_families_that_agree_without_an_order_are_an_error() -> None:
    """Choosing the first would be a silent guess; the error names both."""
    with pytest.raises(AmbiguousIdentityError, match="one, two"):
        identify(BOTH, families=Families([family("two", A), family("one", B)]))


def test_the_special_case_goes_before_the_general_one() -> None:
    """Declared once, directly or through a third, and for both orders of the list."""
    rules = [
        family("general", A),
        family("special", A, B, special_case_of=("general",)),
        family("most special", B, special_case_of=("special",)),
    ]
    for order in (rules, rules[::-1]):
        assert identify(BOTH, families=Families(order)).evidence[0].rule == "most special"


def test_a_fallback_goes_behind_every_other_family() -> None:
    """It need not be named by any of them."""
    families = Families([family("fallback", A, fallback=True), family("known", B)])
    assert identify(BOTH, families=families).evidence[0].rule == "known"
    assert identify(index_of({"a": (1,)}), families=families).evidence[0].rule == "fallback"


def test_traits_that_contradict_each_other_decide_nothing() -> None:
    """The family still holds, the point stays open."""
    rule = Family(
        id="x",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        conditions=(A,),
        traits=(Trait(ModelVariantType.NORMAL, A), Trait(ModelVariantType.DEPTH, B)),
    )
    families = Families([rule])
    assert identify(index_of({"a": (1,)}), families=families).variant == "normal"
    assert identify(BOTH, families=families).variant is None


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([family("x", A), family("x", B)], "two families are called `x`"),
        ([family("x", A, B), family("y", B, A)], "`y` and `x` have the same conditions"),
        ([family("x", A, special_case_of=("nobody",))], "names no family: nobody"),
        (
            [family("x", A, special_case_of=("y",)), family("y", B, special_case_of=("x",))],
            "go before each other",
        ),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(rules: list[Family], words: str) -> None:
    """All or nothing, before anything is identified."""
    with pytest.raises(UsageError, match=words):
        Families(rules)


def test_the_built_in_families_are_a_set() -> None:
    """Iteration is by id, whatever order they were given in."""
    ids = [one.id for one in BUILT_IN]
    assert ids == sorted(ids)
    assert len(BUILT_IN) == len(ids)
    assert "flux/main/original" in BUILT_IN
    assert [one.id for one in Families(list(BUILT_IN)[::-1])] == ids


def test_every_condition_can_say_what_it_asks_for() -> None:
    """Near misses are for people."""
    for one in BUILT_IN:
        assert all(len(str(condition)) > 5 for condition in one.conditions), one.id


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            Tensor("a.#", (None, (768, 1024)), rank=2, count=3, below=19),
            "tensor `a.#` of shape [any, 768/1024] with 2 dimensions 3 times numbered below 19",
        ),
        (Either((A, Absent("b*"))), "tensor `a` or no tensor `b*`"),
        (
            Both(Marker("v_pred"), Wrapped(Part.TEXT)),
            "the marker `v_pred` and names wrapped as the text part",
        ),
        (
            Adapts("text:*", inputs=768, outputs=(768, 3072), rank=2, below=12, reaches=(1, 2)),
            (
                "an adapter of `text:*` from 768 to 768/3072 with 2 dimensions numbered below 12"
                " whose number 1 reaches 2"
            ),
        ),
    ],
)
def test_a_near_miss_reads_as_a_sentence(condition: Condition, words: str) -> None:
    """All that a condition demands is in its words."""
    identity = identify(BOTH, families=Families([family("x", A, B, Tensor("c"), condition)]))
    assert identity.near_misses[0].missing == "tensor `c`"
    assert str(condition) == words


def test_an_answer_is_the_same_under_every_hash_seed() -> None:
    """No set is ever iterated on the way to a report."""
    program = (
        "from tests.unit.identify import layouts as l\n"
        "from modelshelf.identify import identify\n"
        "for shapes in (l.checkpoint(l.SDXL), l.unet_lora(l.SD_1), l.flux_lora('attn'), {}):\n"
        "    print(identify(l.index_of(shapes)))\n"
    )
    reports = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": "src:."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(reports) == 1


def test_identifying_imports_no_heavy_library() -> None:
    """A header says enough: no torch, no SQL, no pydantic."""
    program = (
        "import sys, modelshelf.identify\n"
        "heavy = {'torch', 'numpy', 'pydantic', 'sqlalchemy', 'safetensors'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[]\n"
