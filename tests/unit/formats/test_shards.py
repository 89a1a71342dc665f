from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import InvalidJsonError, InvalidSafetensorsError, InvalidShardIndexError
from modelshelf.formats import ReadingBudget, read_shards, read_tree
from modelshelf.schema.tensor import Container, TensorIndex
from modelshelf.testing.tiny import Opcodes, TorchTensor, write_torch
from tests.unit.formats.headers import write_safetensors

NAME = "model.safetensors.index.json"


def shards(root: Path, document: object) -> TensorIndex:
    (root / NAME).write_text(json.dumps(document))
    tree = read_tree(root)
    index = tree.member(NAME)
    assert index is not None
    return read_shards(tree, index)


def test_headers_are_merged_in_the_order_of_the_index(tmp_path: Path) -> None:
    """One model in two files is one index, with the metadata of both."""
    write_safetensors(tmp_path / "1.safetensors", {"a": (1,), "c": (3,)}, metadata={"format": "pt"})
    write_safetensors(tmp_path / "2.safetensors", {"b": (2,)}, metadata={"note": "x"})
    found = shards(
        tmp_path, {"weight_map": {"c": "1.safetensors", "b": "2.safetensors", "a": "1.safetensors"}}
    )
    assert [(name, entry.shape) for name, entry in found.tensors.items()] == [
        ("c", (3,)),
        ("b", (2,)),
        ("a", (1,)),
    ]
    assert found.metadata == {"format": "pt", "note": "x"}
    assert found.missing_shards == ()


def test_shards_of_torch_are_merged_like_any(tmp_path: Path) -> None:
    """Older models are saved so, and what their pickles name is told once."""
    strange = Opcodes(b"cm\nn\n")
    for name in "ab":
        tensors = {name: TorchTensor("F16", (2,)), "x": strange}
        write_torch(tmp_path / f"{name}.bin", tensors)
        (tmp_path / f"{name}.bin").rename(tmp_path / f"pytorch_model-{name}.bin")
    found = shards(
        tmp_path, {"weight_map": {"b": "pytorch_model-b.bin", "a": "pytorch_model-a.bin"}}
    )
    assert [(name, entry.shape) for name, entry in found.tensors.items()] == [
        ("b", (2,)),
        ("a", (2,)),
    ]
    assert found.container is Container.PICKLE
    assert found.findings == ("it names `m.n`, which was not imported and not run",)


def test_an_index_alone_says_what_its_shards_would_be_written_in(tmp_path: Path) -> None:
    """By their names, as there is nothing else."""
    assert shards(tmp_path, {"weight_map": {"a": "1.bin"}}).container is Container.PICKLE
    assert shards(tmp_path, {"weight_map": {"a": "1"}}).container is Container.SAFETENSORS


def test_a_model_of_a_hundred_thousand_tensors_is_read(tmp_path: Path) -> None:
    """Language models of hundreds of experts have as many, and are no broken models."""
    weight_map: dict[str, str] = {}
    for shard in "123":
        names = [f"layers.{shard}.experts.{number}.w" for number in range(35_000)]
        write_safetensors(tmp_path / f"{shard}.safetensors", dict.fromkeys(names, (2, 3)))
        weight_map |= dict.fromkeys(names, f"{shard}.safetensors")
    found = shards(tmp_path, {"weight_map": weight_map})
    assert (len(found.tensors), found.findings) == (105_000, ())
    assert {entry.shape for entry in found.tensors.values()} == {(2, 3)}


def test_shards_beyond_what_is_read_are_left_unread(tmp_path: Path) -> None:
    """What they would have told is not known, and neither that they are broken."""
    names = {f"{number}.safetensors": f"{number}" for number in range(4)}
    for file, tensor in names.items():
        write_safetensors(tmp_path / file, {tensor: (1,)})
    (tmp_path / "3.safetensors").write_text("no header at all")
    (tmp_path / NAME).write_text(json.dumps({"weight_map": {t: f for f, t in names.items()}}))
    tree = read_tree(tmp_path)
    index = tree.member(NAME)
    assert index is not None
    # What a shard costs is taken off behind it, so that none is half read.
    found = read_shards(tree, index, budget=ReadingBudget(40))
    assert [entry.shape for entry in found.tensors.values()] == [(1,), (1,), (), ()]
    assert found.findings == ("2 shards of 4 not read: they hold more than any model",)
    assert found.missing_shards == ()


def test_missing_shards_are_named(tmp_path: Path) -> None:
    """A model that is not whole is a finding, and what is there can still be read."""
    write_safetensors(tmp_path / "1.safetensors", {"a": (1,)})
    found = shards(
        tmp_path, {"weight_map": {"a": "1.safetensors", "b": "3.safetensors", "c": "2.safetensors"}}
    )
    assert [(name, entry.dtype) for name, entry in found.tensors.items()] == [
        ("a", "F16"),
        ("b", ""),
        ("c", ""),
    ]
    assert found.missing_shards == ("2.safetensors", "3.safetensors")


@pytest.mark.parametrize("name", ["../1.safetensors", "/etc/passwd", "", "a/../../b", "a\0b"])
def test_a_shard_cannot_lie_outside(tmp_path: Path, name: str) -> None:
    """An index comes from strangers and names files."""
    with pytest.raises(InvalidShardIndexError, match="cannot lie beside it"):
        shards(tmp_path, {"weight_map": {"a": name}})


@pytest.mark.parametrize(
    "document", [[], {}, {"weight_map": []}, {"weight_map": ["a"]}, {"weight_map": {}}]
)
def test_an_index_without_a_weight_map_is_invalid(tmp_path: Path, document: object) -> None:
    """There is nothing to merge."""
    with pytest.raises(InvalidShardIndexError, match="weight_map"):
        shards(tmp_path, document)


def test_a_file_that_is_no_text_is_invalid(tmp_path: Path) -> None:
    """Names of files are text."""
    with pytest.raises(InvalidShardIndexError, match="the file of `a` is no text"):
        shards(tmp_path, {"weight_map": {"a": 1}})


def test_an_index_may_name_a_thousand_files(tmp_path: Path) -> None:
    """Six times as many as the largest model has, and no more."""
    weight_map = {f"t{number}": f"{number}.safetensors" for number in range(1_001)}
    with pytest.raises(InvalidShardIndexError, match="it names 1001 files, expected at most 1000"):
        shards(tmp_path, {"weight_map": weight_map})
    del weight_map["t0"]
    assert len(shards(tmp_path, {"weight_map": weight_map}).missing_shards) == 1_000


def test_shards_lie_beside_their_index(tmp_path: Path) -> None:
    """In whatever folder of the model that is."""
    for folder in (tmp_path, tmp_path / "text_encoder"):
        folder.mkdir(exist_ok=True)
        write_safetensors(folder / "1.safetensors", {folder.name: (1,)})
    (tmp_path / "text_encoder" / NAME).write_text(
        json.dumps({"weight_map": {"text_encoder": "1.safetensors"}})
    )
    tree = read_tree(tmp_path)
    index = tree.member(f"text_encoder/{NAME}")
    assert index is not None
    assert list(read_shards(tree, index).tensors) == ["text_encoder"]


def test_a_tensor_that_its_shard_lacks_is_found(tmp_path: Path) -> None:
    """Index and shards of different models were mixed up."""
    write_safetensors(tmp_path / "1.safetensors", {"a": (1,)})
    with pytest.raises(
        InvalidShardIndexError, match=r"places `b` in `1.safetensors`, which lacks it"
    ):
        shards(tmp_path, {"weight_map": {"b": "1.safetensors"}})


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    """The error is the shard's, not the index's."""
    (tmp_path / "1.safetensors").write_bytes(b"")
    with pytest.raises(InvalidSafetensorsError, match=r"1\.safetensors"):
        shards(tmp_path, {"weight_map": {"a": "1.safetensors"}})


def test_an_index_that_is_no_json_is_named(tmp_path: Path) -> None:
    """Cut short like any other file."""
    (tmp_path / NAME).write_text("{")
    tree = read_tree(tmp_path)
    with pytest.raises(InvalidJsonError):
        read_shards(tree, tree.files[0])


def test_half_a_surrogate_pair_names_nothing_that_could_not_be_written(tmp_path: Path) -> None:
    """What an index says goes into records and reports, which are UTF-8."""
    found = shards(tmp_path, {"weight_map": {"a.\ud83d": "\udfff.safetensors"}})
    assert (list(found.tensors), found.missing_shards) == (["a.?"], ("?.safetensors",))
