from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import pytest

from modelshelf.formats import read_shards, read_tensors, read_tree
from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from modelshelf.schema.taxonomy import ModelType
from modelshelf.schema.tensor import TensorIndex
from tests.corpus.cases import CASES, Case, build, corpus_folder
from tests.corpus.mutations import (
    DROPPING,
    KEEPING,
    Mutation,
    modules_by_kind,
    without_module,
)

pytestmark = pytest.mark.skipif(
    not CASES, reason=f"no corpus at {corpus_folder()}: set MODELSHELF_CORPUS"
)

ADAPTERS = {ModelType.LORA, ModelType.CONTROL_LORA, ModelType.EMBEDDING}
"""Types that nobody packs, and of which half is still one of its kind."""
SURVIVE = 0.995
HALVES = 2
"""Modules of a file of which one is half."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, TensorIndex, Identity]]:
    """Read every file of the corpus that is known, without its metadata."""
    found: list[tuple[Case, TensorIndex, Identity]] = []
    for case in CASES:
        if case.kind == "folder":
            continue
        tree = read_tree(build(case, tmp_path_factory.mktemp("case")))
        file = tree.files[0]
        index = read_tensors(file) if case.kind == "state_dict" else read_shards(tree, file)
        index = replace(index, metadata={})
        identity = identify(index)
        if identity.type is not ModelType.UNKNOWN:
            found.append((case, index, identity))
    return found


def claims(identity: Identity) -> set[str]:
    return {base.value for base in identity.bases or identity.candidates}


def outcome(before: Identity, after: Identity) -> str:
    """Return `kept`, `lost` or what is wrong: a type or a base that the original does not have."""
    if after.type is ModelType.UNKNOWN:
        return "lost"
    if after.type is not before.type:
        return f"type {after.type}, not {before.type}"
    if claims(before) <= claims(after) or not claims(after):
        return "kept" if claims(before) <= claims(after) else "lost"
    return f"bases {sorted(claims(after))}, not {sorted(claims(before))}"


def mutate(
    originals: list[tuple[Case, TensorIndex, Identity]],
    name: str,
    mutation: Mutation,
    is_due: Callable[[Identity], bool],
) -> tuple[float, list[str]]:
    """Return the share that kept its answer, and all that became something else."""
    outcomes: list[tuple[str, str]] = []
    for case, index, before in originals:
        if is_due(before):
            tensors = mutation(index.tensors, random.Random(f"{case.id} {name}"))  # noqa: S311 - not a secret
            outcomes.append((case.id, outcome(before, identify(replace(index, tensors=tensors)))))
    wrong = [f"{case_id}: {word}" for case_id, word in outcomes if word not in {"kept", "lost"}]
    return sum(word == "kept" for _, word in outcomes) / len(outcomes), wrong


@pytest.mark.parametrize("name", [name for name in KEEPING if name != "nf4"])
def test_what_keeps_the_model_keeps_the_answer(
    originals: list[tuple[Case, TensorIndex, Identity]], name: str
) -> None:
    """Wrappers, order, casts, scales and copies say nothing about what a model is.

    A token's one tensor is no file of modules, so what is put around modules is not tried on it.
    """
    survived, wrong = mutate(
        originals, name, KEEPING[name], lambda one: one.type is not ModelType.EMBEDDING
    )
    assert not wrong
    assert survived >= SURVIVE


def test_packed_weights_keep_the_answer(
    originals: list[tuple[Case, TensorIndex, Identity]],
) -> None:
    """Four bits hide the widths of matrices: more bases may be possible then, and no other one."""
    survived, wrong = mutate(originals, "nf4", KEEPING["nf4"], lambda one: one.type not in ADAPTERS)
    assert not wrong
    assert survived >= SURVIVE


def test_half_of_a_loras_modules_keep_the_answer(
    originals: list[tuple[Case, TensorIndex, Identity]],
) -> None:
    """What an adapter leaves alone is no evidence."""
    survived, wrong = mutate(
        originals, "half", DROPPING["half of its modules"], lambda one: one.type is ModelType.LORA
    )
    assert not wrong
    assert survived >= SURVIVE


@pytest.mark.parametrize(
    "name",
    ["three tensors gone", "a module gone", "a block gone", "a tenth of its modules gone"],
)
def test_a_model_with_holes_is_never_another(
    originals: list[tuple[Case, TensorIndex, Identity]], name: str
) -> None:
    """Nine of ten are still known; the others are unknown, which is no lie."""
    survived, wrong = mutate(originals, name, DROPPING[name], lambda _: True)
    assert not wrong
    assert survived >= 0.9


def test_one_lost_module_keeps_the_answer(
    originals: list[tuple[Case, TensorIndex, Identity]],
) -> None:
    """Mean over the files of the share of their modules of which any one may be lost.

    Modules whose names differ in numbers alone count as the one of them that is tried. Of a file of two
    modules, half is none of its kind any more.
    """
    shares: list[float] = []
    wrong: list[str] = []
    for case, index, before in originals:
        kinds = modules_by_kind(index.tensors)
        count = sum(map(len, kinds.values()))
        if count <= HALVES:
            continue
        chance = random.Random(case.id)  # noqa: S311 - not a secret
        kept = 0
        for modules in kinds.values():
            gone = chance.choice(modules)
            after = identify(replace(index, tensors=without_module(index.tensors, gone)))
            word = outcome(before, after)
            kept += len(modules) if word == "kept" else 0
            wrong += [] if word in {"kept", "lost"} else [f"{case.id} without {gone}: {word}"]
        shares.append(kept / count)
    assert not wrong
    assert mean(shares) >= SURVIVE
