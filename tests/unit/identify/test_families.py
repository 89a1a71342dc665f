from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import pytest

from modelshelf.errors import UsageError
from modelshelf.identify import BUILT_IN, Families, Family, Trait, families, identify
from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Both, Condition, Either, Setting
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Architecture
from modelshelf.identify.layout import Part
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor, Wrapped
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType
from tests.unit.identify.layouts import index_of
from tests.unit.identify.test_files import KNOWN, LOOK_ALIKES


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


def test_two_families_that_disagree_without_an_order_leave_both_open() -> None:
    """Choosing the first would be a silent guess: what both say is kept, and both are named."""
    other = replace(family("two", A), bases=(BaseModelType.SDXL,))
    identity = identify(BOTH, families=Families([other, family("one", B)]))
    assert (identity.type.value, identity.status.value) == ("main", "ambiguous")
    assert [base.value for base in identity.candidates] == ["sd-1", "sdxl"]
    assert [miss.rule for miss in identity.near_misses] == ["one", "two"]


def test_no_rule_is_nearer_for_what_is_absent() -> None:
    """What a rule forbids is absent from every file: a reader would take noise for a near miss."""
    rules = Families([family("forbids", Absent("c"), Tensor("d")), family("finds", A, Tensor("d"))])
    identity = identify(BOTH, families=rules)
    assert [miss.rule for miss in identity.near_misses] == ["finds"]


def test_a_file_that_no_rule_comes_near_is_named_by_what_it_has() -> None:
    """Without a word a reader could not tell it from a file that was never looked at."""
    identity = identify(BOTH, families=Families([family("one", Tensor("c"))]))
    (miss,) = identity.near_misses
    assert miss.missing == "any that a rule asks for first, among 2 such as `a`"


def test_two_families_of_different_types_are_unknown_and_ambiguous() -> None:
    """Nothing is left that both say."""
    other = replace(family("two", A), type=ModelType.VAE)
    identity = identify(BOTH, families=Families([other, family("one", B)]))
    assert (identity.type.value, identity.status.value) == ("unknown", "ambiguous")
    assert identity.candidates == ()
    assert {one.where for one in identity.evidence} >= {"a", "b"}


def test_families_some_of_which_expect_others_are_ambiguous_all_the_same() -> None:
    """Several candidates are an answer only where every family that agrees says so."""
    other = replace(family("two", A), bases=(BaseModelType.SDXL,), is_one_of_several=True)
    one = family("one", B)
    assert identify(BOTH, families=Families([other, one])).status == "ambiguous"
    expecting = replace(one, is_one_of_several=True)
    identity = identify(BOTH, families=Families([other, expecting]))
    assert (identity.status, identity.near_misses) == ("undecided", ())


def test_evidence_is_what_is_there_and_not_what_is_absent() -> None:
    """Nobody could look up a tensor that is not in the file."""
    identity = identify(BOTH, families=Families([family("one", A, Absent("c"))]))
    assert [one.where for one in identity.evidence] == ["a", "parts of the file"]


@pytest.mark.parametrize(
    ("present", "status"), [(10, "identified"), (8, "identified"), (7, "partial")]
)
def test_a_model_of_fewer_than_four_fifths_of_its_blocks_is_a_part(
    present: int, status: str
) -> None:
    """One block lost on the way is damage to tell; half a model is another thing than a model."""
    one = replace(family("one", A), blocks=(("blocks", 10),))
    names = {f"blocks.{number}.norm.weight": (4,) for number in range(10 - present, 10)}
    identity = identify(index_of({"a": (1,), **names}), families=Families([one]))
    assert identity.status == status
    found = [item.found for item in identity.evidence if item.rule == "blocks"]
    assert found == ([f"{present} of 10"] if status == "partial" else [])


def test_an_architecture_that_a_hidden_shape_may_refine_is_not_believed() -> None:
    """Packed numbers tell no shape, so the finer word may be the right one."""
    refined = Trait(Architecture("a-large"), Tensor("a", (2048, None)))
    one = replace(family("one", Tensor("a")), architecture="a", traits=(refined,))
    known, large = index_of({"a": (1024, 8)}), index_of({"a": (2048, 8)})
    packed = index_of({"a": (1, 4096), "a.absmax": (64,)}, dtype="U8")
    found = [identify(index, families=Families([one])) for index in (known, large, packed)]
    assert [identity.architecture for identity in found] == ["a", "a-large", ""]


def test_one_family_without_a_base_leaves_every_base_open() -> None:
    """A set of candidates says that there is no other, which nobody knows then."""
    other = replace(family("two", A), bases=())
    identity = identify(BOTH, families=Families([other, family("one", B)]))
    assert (identity.bases, identity.candidates) == ((), ())


def test_two_families_that_say_the_same_are_sure() -> None:
    """Two layouts in one file, say: both are evidence."""
    identity = identify(BOTH, families=Families([family("two", A), family("one", B)]))
    assert (identity.base.value, identity.status.value) == ("sd-1", "identified")
    assert [one.rule for one in identity.evidence][:1] == ["one"]
    assert {one.rule for one in identity.evidence} == {"one", "two"}


def test_a_few_lost_tensors_are_overlooked_where_their_modules_are_there() -> None:
    """Nine of ten, while ten biases say that there were ten; nine of each is a smaller model."""
    rules = Families([family("ten", Tensor("blocks.#.q.#.weight", count=10))])
    names = [f"blocks.{number}.q.0" for number in range(10)]
    whole = {f"{name}.{end}": (1,) for name in names for end in ("weight", "bias")}
    del whole["blocks.3.q.0.weight"]
    identity = identify(index_of(whole), families=rules)
    assert (identity.base.value, identity.status.value) == ("sd-1", "partial")
    del whole["blocks.3.q.0.bias"]
    assert identify(index_of(whole), families=rules).type.value == "unknown"


def test_more_than_a_few_lost_tensors_are_not_overlooked() -> None:
    """Four fifths must be there."""
    rules = Families([family("ten", Tensor("blocks.#.weight", count=10))])
    left = {f"blocks.{number}.weight": (1,) for number in (0, 1, 2, 3, 4, 5, 9)}
    assert identify(index_of(left), families=rules).type.value == "unknown"
    left |= {"blocks.6.weight": (1,)}
    assert identify(index_of(left), families=rules).status.value == "partial"


@pytest.mark.parametrize(
    ("have", "expected"), [(19, "identified"), (16, "identified"), (15, "partial"), (1, "partial")]
)
def test_fewer_than_four_fifths_of_the_blocks_are_part_of_a_model(have: int, expected: str) -> None:
    """Leftover tensors are no model; the family says how many blocks a whole one has."""
    rule = replace(family("x", Tensor("blocks.#.q.weight")), blocks=(("blocks", 19),))
    tensors = {f"blocks.{number}.q.weight": (1,) for number in range(have)}
    identity = identify(index_of(tensors), families=Families([rule]))
    assert identity.status.value == expected


def test_a_list_with_gaps_is_part_of_a_model_without_a_declared_count() -> None:
    """The highest number says how many blocks there were at least."""
    rules = Families([family("x", Tensor("blocks.#.q.weight"))])
    tensors = {f"blocks.{number}.q.weight": (1,) for number in (0, 1, 29)}
    identity = identify(index_of(tensors), families=rules)
    assert identity.status.value == "partial"
    assert ("blocks", "3 of 30") in [(one.where, one.found) for one in identity.evidence]


def test_what_the_shortlist_leaves_out_would_have_said_no() -> None:
    """Families are filed under what they need; asking all of them gives the same answers."""
    classes = {
        str(value)
        for one in BUILT_IN
        for condition in one.conditions
        if isinstance(condition, Setting) and condition.name == "class"
        for value in condition.values
    }
    for facts in (
        *(Facts(index_of(one[0])) for one in KNOWN.values()),
        *(Facts(index_of(shapes)) for shapes in LOOK_ALIKES.values()),
        *(Facts(settings={"class": name, "in_channels": 4}) for name in sorted(classes)),
    ):
        asked = [one.family.id for one in BUILT_IN.ask(facts) if one.missing is None]
        assert asked == [one.id for one in BUILT_IN if one.judge(facts).missing is None]


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
        "import json\n"
        "from tests.unit.identify.test_files import KNOWN, LOOK_ALIKES\n"
        "from tests.unit.identify.layouts import index_of\n"
        "from modelshelf.cli.output import document\n"
        "from modelshelf.identify import identify, rules_edition\n"
        "print(rules_edition())\n"
        "cases = [one[0] for one in KNOWN.values()] + list(LOOK_ALIKES.values())\n"
        "for shapes in cases[::9]:\n"
        "    print(json.dumps(document(identify(index_of(shapes)))))\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": "src:."},
            stdout=subprocess.PIPE,
        )
        for seed in range(20)
    ]
    reports = {one.communicate()[0] for one in running}
    assert all(one.returncode == 0 for one in running)
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


def test_whatever_module_has_families_takes_part() -> None:
    """Adding a family touches one file: nothing lists the modules."""
    modules = [
        import_module(f"{families.__name__}.{one.name}") for one in iter_modules(families.__path__)
    ]
    shipped = [one.id for module in modules for one in getattr(module, "FAMILIES", ())]
    assert sorted(shipped) == [one.id for one in BUILT_IN]
