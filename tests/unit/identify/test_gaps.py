"""What is told of a file that holds only a part of a model's blocks or shards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from modelshelf.identify import Families, Family, identify
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.identity import Evidence
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from tests.unit.identify.layouts import index_of

_MAIN = Family(
    id="main",
    type=ModelType.MAIN,
    format=ModelFormat.CHECKPOINT,
    bases=(BaseModelType.SD_1,),
    conditions=(Tensor("mark"),),
)


def _blocks(path: str, numbers: Iterable[int], rest: str) -> dict[str, tuple[int, ...]]:
    return {f"{path}.{number}.{rest}": (1,) for number in numbers}


def _told(tensors: dict[str, tuple[int, ...]], *families: Family) -> list[str]:
    """What is said of lists, in any order in which the tensors stand in the file."""
    rules = Families(families or [_MAIN])
    found = [
        [
            f"{one.where}: {one.found}"
            for one in identify(index_of({"mark": (1,)} | dict(order)), families=rules).evidence
            if one.rule == "blocks"
        ]
        for order in (tensors.items(), reversed(tensors.items()))
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize(
    ("kind", "is_looked_at"),
    [
        *((kind, True) for kind in (ModelType.MAIN, ModelType.VAE, ModelType.CONTROLNET)),
        *((kind, True) for kind in (ModelType.CLIP_EMBED, ModelType.CLIP_VISION)),
        *((kind, True) for kind in (ModelType.T5_ENCODER, ModelType.TEXT_ENCODER)),
        *((kind, True) for kind in (ModelType.UNET, ModelType.TRANSFORMER)),
        *((kind, False) for kind in (ModelType.LORA, ModelType.IP_ADAPTER, ModelType.EMBEDDING)),
    ],
)
def test_only_an_adapter_may_leave_out_blocks(kind: ModelType, *, is_looked_at: bool) -> None:
    tensors = _blocks("blocks", (0, 1, 29), "q.weight")
    told = _told(tensors, replace(_MAIN, type=kind))
    assert told == ["blocks: 3 of 30"] * is_looked_at


@pytest.mark.parametrize(("last", "told"), [(7, ["blocks: 2 of 8"]), (6, [])])
def test_a_short_list_may_skip_numbers(last: int, told: list[str]) -> None:
    """Only of a list of eight blocks or more does the highest number say how many there are."""
    assert _told(_blocks("blocks", (0, last), "q.weight")) == told


def test_a_list_that_a_family_declares_may_be_as_short_as_it_likes() -> None:
    declared = replace(_MAIN, blocks=(("blocks", 3), ("more", 4)))
    tensors = _blocks("blocks", (0, 1), "q.weight") | _blocks("others", (0, 9), "q.weight")
    assert _told(tensors, declared) == ["blocks: 2 of 3", "more: 0 of 4", "others: 2 of 10"]


def test_a_declared_count_goes_before_the_highest_number() -> None:
    """A model that somebody made longer, or cut at its end, is judged by what the family knows."""
    longer = _blocks("blocks", (*range(7), 29), "q.weight")
    assert _told(longer, replace(_MAIN, blocks=(("blocks", 10),))) == []


def test_blocks_of_several_kinds_are_counted_together() -> None:
    """No tensor stands in all of them."""
    kinds = _blocks("blocks", range(8), "a.weight") | _blocks("blocks", range(8, 30), "b.weight")
    assert _told(kinds) == []
    few = _blocks("net2.3d", range(2), "a.weight") | _blocks("net2.3d", (2, 3, 29), "b.weight")
    assert _told(few) == ["net2.3d: 5 of 30"]


def test_the_tensor_that_most_blocks_have_says_how_many_there_are() -> None:
    """One that a few have more than others says nothing."""
    tensors = _blocks("blocks", (0, 1, 29), "q.weight") | _blocks("blocks", (0, 1), "extra.weight")
    assert _told(tensors) == ["blocks: 3 of 30"]


def test_the_order_of_a_file_decides_nothing() -> None:
    """Two kinds of blocks, as many of each, and one of them goes on farther."""
    tensors = _blocks("blocks", (0, 29), "b.weight") | _blocks("blocks", (1, 2), "a.weight")
    assert _told(tensors) == ["blocks: 4 of 30"]


def test_lists_within_blocks_are_no_blocks() -> None:
    """Sixty layers in three blocks are three blocks."""
    within = [
        name
        for block in (0, 1, 29)
        for name in _blocks(f"blocks.{block}.mlp", range(20), "fc.weight")
    ]
    tensors = _blocks("blocks", (0, 1, 29), "q.weight") | dict.fromkeys(within, (1,))
    assert _told(tensors) == ["blocks: 3 of 30"]


def test_layers_of_a_row_are_no_blocks() -> None:
    """A row counts its activations too, which have no tensors."""
    assert _told(_blocks("layers", (0, 28), "weight")) == []


def test_every_list_is_told_and_so_is_every_shard() -> None:
    """In order of text, the shards first."""
    tensors = {"mark": (1,)} | _blocks("b", (0, 9), "q.weight") | _blocks("a", (0, 9), "q.weight")
    index = replace(index_of(tensors), missing_shards=("z.safetensors", "y.safetensors"))
    found = identify(index, families=Families([_MAIN]))
    assert found.status == "partial"
    assert found.evidence[-4:] == (
        Evidence("shards", "y.safetensors", "missing"),
        Evidence("shards", "z.safetensors", "missing"),
        Evidence("blocks", "a", "2 of 10"),
        Evidence("blocks", "b", "2 of 10"),
    )
    adapter = identify(index, families=Families([replace(_MAIN, type=ModelType.LORA)]))
    assert [one.rule for one in adapter.evidence[-2:]] == ["shards"] * 2
