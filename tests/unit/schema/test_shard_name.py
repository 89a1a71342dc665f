from __future__ import annotations

import pytest

from modelshelf.schema.shard_name import parse_shard_name


@pytest.mark.parametrize(
    "name",
    [
        "model-00002-of-00003.safetensors",
        "model-00002-of-000163.safetensors",
        "model-000002-of-000163.safetensors",
        "model.fp16-00002-of-00003.safetensors",
        "model-00002-of-00003.fp16.bin",
        "model-00002-of-00003",
    ],
)
def test_a_shard_names_itself_among_its_siblings(name: str) -> None:
    """However many digits its writer uses for which one it is, and for how many there are."""
    shard = parse_shard_name(name)
    assert shard is not None
    assert shard.sibling(2) == name
    other = parse_shard_name(shard.sibling(3))
    assert other is not None
    assert other.model == shard.model


@pytest.mark.parametrize(
    "name",
    ["other-00002-of-00003.bin", "model-00002-of-00004.bin", "model-00002-of-00003.fp16.bin"],
)
def test_a_shard_of_another_model_is_no_sibling(name: str) -> None:
    """Another name, another number of shards, or the same model in other numbers."""
    models = [parse_shard_name(one) for one in ("model-00001-of-00003.bin", name)]
    assert len({one.model for one in models if one is not None}) == 2


@pytest.mark.parametrize(
    "name",
    [
        "",
        "model.safetensors",
        "-00001-of-00003.bin",
        "model-1-of-3.bin",
        "a-00001-of-00003x",
        "a-00001-of-00003old.bin",
    ],
)
def test_other_names_are_no_shards(name: str) -> None:
    assert parse_shard_name(name) is None
