from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from modelshelf.formats import read_tensors, read_tree
from modelshelf.identify import BUILT_IN, Families, Family, Recollection, identify
from modelshelf.identify.condition import Found
from modelshelf.identify.facts import Facts
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.identify.network import Declared
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.schema.tensor import TensorColumns, TensorIndex, TensorKind
from modelshelf.testing import tiny
from tests.unit.identify.layouts import index_of
from tests.unit.identify.recorded import RECORDED


@dataclass(frozen=True)
class Told:
    """The file says so many things of itself: a rule that looks at all of them."""

    count: int

    def check(self, facts: Facts) -> Found | None:
        """Look into *facts*."""
        said = facts.layout.index.metadata
        return Found("metadata", ", ".join(said)) if len(said) == self.count else None


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Make files about which more is known than their tensors: a name, a neighbour, metadata."""
    shard = tiny.lora(tmp_path / "model-00001-of-00002.safetensors", base="sd-1")
    folder = tiny.vae(tmp_path / "vae", base="sdxl", folder=True)
    index = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.weight": "gone.safetensors"}}))
    nothing = tmp_path / "notes.txt"
    nothing.write_text("no tensors")
    adapter = tiny.lora(tmp_path / "style.safetensors", base="sd-1")
    return [shard, folder / "diffusion_pytorch_model.safetensors", index, nothing, adapter]


def test_a_header_that_was_read_gives_the_same_answer(files: list[Path]) -> None:
    """What stands in the name and beside the file counts as if nobody had read it."""
    for path in files:
        tree = read_tree(path)
        assert identify(tree, header=read_tensors(tree.files[0])) == identify(path)


def test_what_a_run_remembers_gives_the_same_answer(files: list[Path]) -> None:
    """Names and neighbours are each file's own, also where its tensors are known already."""
    known = Recollection()
    for path in (*files, *files):
        assert identify(path, known=known) == identify(path)


@pytest.mark.parametrize("count", ["00002", "000163"])
def test_equal_tensors_under_other_names_are_other_files(tmp_path: Path, count: str) -> None:
    """A shard's name says something that the same tensors under a plain name do not."""
    plain = tiny.lora(tmp_path / "style.safetensors", base="sd-1")
    shard = tmp_path / f"style-00001-of-{count}.safetensors"
    shard.write_bytes(plain.read_bytes())
    known = Recollection()
    found = [identify(path, known=known).status.value for path in (plain, shard, plain)]
    assert found == ["identified", "partial", "identified"]


def test_a_rule_that_reads_all_metadata_is_asked_every_time() -> None:
    """What it saw of one file is not what it would see of the next."""
    families = Families(
        [
            Family(
                id="any/embedding/told",
                type=ModelType.EMBEDDING,
                format=ModelFormat.EMBEDDING_FILE,
                conditions=(Tensor("token"), Told(2)),
            )
        ]
    )
    columns = TensorColumns({"token": TensorKind("F32", (2, 768), 6144)}, start=100)
    known = Recollection()
    for metadata in ({"a": "1"}, {"a": "1", "b": "2"}, {"a": "1"}):
        index = TensorIndex(columns, metadata)
        assert known.identify(index, families) == identify(index, families=families)
        wanted = ModelType.EMBEDDING if len(metadata) == 2 else ModelType.UNKNOWN
        assert known.identify(index, families).type is wanted


_HALF, _TURNED = TensorKind("F16", (2, 768), 3072), TensorKind("F16", (768, 2), 3072)
_WORD = Families(
    [
        Family(
            id="any/embedding/word",
            type=ModelType.EMBEDDING,
            format=ModelFormat.EMBEDDING_FILE,
            conditions=(Tensor("word"),),
        )
    ]
)


@pytest.mark.parametrize(
    "other",
    [
        {"first": _HALF, "word": _HALF, "x": _HALF},
        {"first": _HALF, "last": _HALF, "word": _HALF},
        {"first": _HALF, "word": _TURNED, "last": _HALF},
        {"first": _HALF, "word": TensorKind("BF16", (2, 768), 3072), "last": _HALF},
    ],
    ids=["name", "order", "shape", "dtype"],
)
def test_what_is_nearly_as_a_file_before_is_another(other: dict[str, TensorKind]) -> None:
    """As many tensors, as many bytes and the same first name: the rest is compared one by one."""
    tensors = {"first": _HALF, "word": _HALF, "last": _HALF}
    known = Recollection()
    first = known.identify(TensorIndex(TensorColumns(tensors, start=100)), _WORD)
    again = TensorIndex(TensorColumns(dict(tensors), start=200))
    assert known.identify(again, _WORD) is first
    second = TensorIndex(TensorColumns(other, start=100))
    assert known.identify(second, _WORD) is not first
    assert known.identify(second, _WORD) == identify(second, families=_WORD)


def test_what_other_families_said_is_not_remembered() -> None:
    """Nor what they said where somebody had told them more."""
    index = TensorIndex(TensorColumns({"word": _HALF}, start=100))
    known = Recollection()
    first = known.identify(index, _WORD)
    assert known.identify(index, Families(list(_WORD))) is not first
    said = frozenset({(BaseModelType.FLUX,)})
    assert known.identify(index, _WORD, said) is not known.identify(index, _WORD)


def test_what_a_reader_found_odd_is_said_of_that_file_alone() -> None:
    """Whether the same tensors were seen before or not."""
    columns = TensorColumns({"word": _HALF}, start=100)
    plain, odd = TensorIndex(columns), TensorIndex(columns, findings=("it is odd",))
    known = Recollection()
    for index in (plain, odd, plain):
        assert known.identify(index, _WORD) == identify_tensors(index, _WORD)
    assert identify_tensors(odd, _WORD) != identify_tensors(plain, _WORD)


def test_what_a_rule_asked_of_the_metadata_is_asked_of_each_file() -> None:
    """The same tensors may be another model's, where a rule says so."""
    told = Family(
        id="any/embedding/told",
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        conditions=(Tensor("word"), Declared("general.architecture", ("flux",))),
    )
    families = Families([told])
    known = Recollection()
    found = []
    for words in ({"general.architecture": "flux"}, {}, {"general.architecture": "sdxl"}):
        index = TensorIndex(TensorColumns({"word": _HALF}, start=100), words)
        found.append(known.identify(index, families).type)
        assert known.identify(index, families) == identify_tensors(index, families)
    assert found == [ModelType.EMBEDDING, ModelType.UNKNOWN, ModelType.UNKNOWN]


def test_a_long_run_forgets_what_it_saw_long_ago() -> None:
    """However many layouts there are, answers stay right and few of them are kept."""
    known = Recollection()
    layouts = [
        TensorIndex(
            TensorColumns({f"<word{rows}>": TensorKind("F32", (rows, 768), rows)}, start=100)
        )
        for rows in range(1, 76)
    ]
    first = [known.identify(index, BUILT_IN) for index in layouts]
    assert first == [identify(index) for index in layouts]
    assert known.identify(layouts[-1], BUILT_IN) is first[-1]
    assert known.identify(layouts[0], BUILT_IN) is not first[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("transformer_blocks.{}.", "transformer_blocks.{}._orig_mod."),
        ("transformer_blocks.{}.", "transformer_blocks.{}._fsdp_wrapped_module."),
        ("transformer_blocks.{}.", "transformer_blocks.{}._checkpoint_wrapped_module."),
        ("transformer_blocks.{}.attn.to_q.", "transformer_blocks.{}.attn.to_q.base_layer."),
    ],
)
def test_frames_inside_names_are_taken_off(old: str, new: str) -> None:
    """Torch compiles, shards and recomputes single blocks; PEFT frames what it adapts."""
    whole = RECORDED["sd-3-medium"].shapes
    framed = dict(whole)
    for block in range(24):
        framed = {
            name.replace(old.format(block), new.format(block)): shape
            for name, shape in framed.items()
        }
    assert framed != whole
    identity = identify(index_of(framed))
    assert (identity.type, identity.base) == ("main", "sd-3")
    assert identity.evidence[-1].found == "taken off"


def test_frames_in_the_names_of_adapters_are_taken_off() -> None:
    """Kohya's scripts join the frame of a compiled model to the path with underscores."""
    pieces = {
        f"lora_unet__orig_mod_double_blocks_{block}__orig_mod_img_attn_qkv.lora_{piece}.weight": shape
        for block in range(19)
        for piece, shape in (("down", (16, 3072)), ("up", (9216, 16)))
    }
    assert (
        identify(index_of(pieces)).base
        == identify(
            index_of({name.replace("_orig_mod_", ""): shape for name, shape in pieces.items()})
        ).base
    )


def test_frames_that_two_names_differ_in_stay() -> None:
    """Nobody knows which of the two is the module."""
    names = {"blocks.0._orig_mod.weight": (8, 8), "blocks.0.weight": (4, 4)}
    identity = identify(index_of(names))
    assert identity.type == "unknown"
    assert not identity.evidence
