"""Shards beside which nobody kept the index that names them."""

from __future__ import annotations

from itertools import accumulate, combinations
from math import prod
from pathlib import Path

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from tests.unit.formats.headers import write_safetensors
from tests.unit.identify import layouts
from tests.unit.identify.more_video_layouts import COSMOS_1_7B, cosmos_1, cosmos_diffusers
from tests.unit.identify.parts import encoder_layouts as encoders
from tests.unit.identify.parts.known_vaes import VAES
from tests.unit.identify.recorded import RECORDED

_UNLIKE = ("auraflow", "hidream", "lumina-next.original", "sd-3.5-medium", "z-image")
"""Denoisers no two of which share what a block of theirs is made of."""


def shards_of(path: Path, shapes: layouts.Shapes, count: int) -> list[Path]:
    """Write *shapes* into so many files that are called shards, and no index beside them."""
    names = list(shapes)
    files = [
        path / f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)
    ]
    for place, file in enumerate(files):
        write_safetensors(file, {name: shapes[name] for name in names[place::count]})
    return files


def test_shards_without_their_index_are_one_model(tmp_path: Path) -> None:
    """Their names tell that they belong together, and how many there should be."""
    files = shards_of(tmp_path, RECORDED["qwen-image"].shapes, 3)
    assert identify(files[0]).status == "unknown"
    identity = identify(tmp_path)
    assert (identity.type, identity.base, identity.status) == ("main", "qwen-image", "identified")


def test_a_shard_that_is_missing_is_named_without_an_index(tmp_path: Path) -> None:
    """What the others are together is known, and that it is not all."""
    shapes = RECORDED["qwen-image"].shapes
    last = {name: one for name, one in shapes.items() if name.startswith("transformer_blocks.59.")}
    rest = {name: one for name, one in shapes.items() if name not in last}
    write_safetensors(tmp_path / "model-00001-of-00002.safetensors", rest)
    identity = identify(tmp_path)
    assert (identity.base, identity.status) == ("qwen-image", "partial")
    write_safetensors(tmp_path / "model-00002-of-00003.safetensors", last)
    assert identify(tmp_path).type == "unknown"


def test_shards_that_hold_the_same_tensor_are_no_model(tmp_path: Path) -> None:
    """Each tensor lies in one shard: these are two files that somebody named so."""
    shapes = RECORDED["qwen-image"].shapes
    for file in shards_of(tmp_path, shapes, 2):
        write_safetensors(file, shapes)
    assert identify(tmp_path).type == "unknown"


def test_shards_that_are_counted_with_six_digits_are_all_there(tmp_path: Path) -> None:
    """DeepSeek writes which one it is with five, and how many there are with six."""
    for number, file in enumerate(shards_of(tmp_path, RECORDED["qwen-image"].shapes, 3), start=1):
        file.rename(tmp_path / f"model-{number:05}-of-000003.safetensors")
    assert identify(tmp_path).status == "identified"
    lone = identify(tmp_path / "model-00001-of-000003.safetensors")
    assert lone.near_misses[0].missing.endswith("shard 1 of 3, by the file's name")


def halves_of(shapes: layouts.Shapes) -> tuple[layouts.Shapes, layouts.Shapes]:
    """Return the shards into which the names, in order of text, fall by their size."""
    names = sorted(shapes)
    sizes = list(accumulate(prod(shapes[name]) for name in names))
    first = {name for name, size in zip(names, sizes, strict=True) if 2 * size < sizes[-1]}
    return (
        {name: shape for name, shape in shapes.items() if name in first},
        {name: shape for name, shape in shapes.items() if name not in first},
    )


def identify_two(path: Path, first: layouts.Shapes, second: layouts.Shapes) -> Identity:
    """Say what a folder is in which these are the two shards."""
    write_safetensors(path / "model-00001-of-00002.safetensors", first)
    write_safetensors(path / "model-00002-of-00002.safetensors", second)
    return identify(path)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_model_in_two_shards_is_what_it_is_in_one(name: str, tmp_path: Path) -> None:
    """Wherever the cut falls: between kinds of block, or within one."""
    shapes = RECORDED[name].shapes
    write_safetensors(tmp_path / "whole.safetensors", shapes)
    whole = identify(tmp_path / "whole.safetensors")
    (tmp_path / "cut").mkdir()
    cut = identify_two(tmp_path / "cut", *halves_of(shapes))
    assert (cut.type, cut.bases, cut.candidates) == (whole.type, whole.bases, whole.candidates)


@pytest.mark.parametrize(("one", "other"), list(combinations(_UNLIKE, 2)))
def test_shards_of_two_models_are_none(one: str, other: str, tmp_path: Path) -> None:
    """Both were called as their writer calls all shards, and somebody put them into one folder."""
    first, second = halves_of(RECORDED[one].shapes), halves_of(RECORDED[other].shapes)
    assert identify_two(tmp_path, first[0], second[1]).type == "unknown"
    assert identify_two(tmp_path, second[0], first[1]).type == "unknown"


def test_a_shard_of_another_model_is_named(tmp_path: Path) -> None:
    """The one that goes on with nothing, not the one that the answer would rest on."""
    flux, auraflow = (RECORDED[name].shapes for name in ("flux-schnell", "auraflow"))
    own = {name: flux[name] for name in flux if not name.startswith("transformer_blocks.0.")}
    stray = {name: auraflow[name] for name in auraflow if name.startswith("joint_")}
    identity = identify_two(tmp_path, own, stray)
    assert identity.near_misses[0].missing == (
        "`model-00002-of-00002.safetensors` going on with blocks of the other shards"
    )


def test_shards_that_lack_the_beginning_of_a_list_are_no_whole_model(tmp_path: Path) -> None:
    """All shards are there by their numbers, and none has its first blocks: it is of another cut."""
    first, second = halves_of(RECORDED["qwen-image"].shapes)
    late = {
        name: shape
        for name, shape in first.items()
        if name.partition("transformer_blocks.")[2].partition(".")[0] not in set("0123456789")
    }
    identity = identify_two(tmp_path, late, second)
    assert identity.type == "unknown"
    assert identity.near_misses[0].missing.startswith("the beginning of `transformer_blocks.`")
    (tmp_path / "model-00001-of-00002.safetensors").unlink()
    assert identify(tmp_path).status in {"partial", "unknown"}


_OF_TWO_HALVES = {
    "decoder.": encoders.t5_encoder(4096, 24, 32128) | encoders.t5_decoder(4096, 24),
    "vision_tower.": encoders.vision(1152, 27, start="vision_tower.", is_siglip=True)
    | encoders.language_model(
        (3840, 48, 262208, 15360, 2048), "norm four", naming="language_model.model."
    ),
    "encoder.": VAES["svd diffusers"][0],
}
"""How a half is called → all of a model of which nothing in one half is like anything in the other."""


def test_blocks_whose_word_holds_their_number_go_on_too(tmp_path: Path) -> None:
    """Cosmos 1 calls its blocks `block0` and `block1`."""
    shapes = cosmos_1(cosmos_diffusers(*COSMOS_1_7B, has_positions=True))
    later = {name: shape for name, shape in shapes.items() if name.startswith("net.blocks.block1")}
    first = {name: shape for name, shape in shapes.items() if name not in later}
    assert later
    assert identify_two(tmp_path, first, later).base == "cosmos"


@pytest.mark.parametrize("start", _OF_TWO_HALVES)
def test_half_of_a_model_may_fill_a_shard_of_its_own(start: str, tmp_path: Path) -> None:
    """T5's decoder, the eyes of a language model, what a VAE reads pictures with: whichever comes first."""
    shapes = _OF_TWO_HALVES[start]
    half = {name: shape for name, shape in shapes.items() if name.startswith(start)}
    rest = {name: shape for name, shape in shapes.items() if name not in half}
    write_safetensors(tmp_path / "whole.safetensors", shapes)
    whole = identify(tmp_path / "whole.safetensors")
    assert half
    assert whole.type != "unknown"
    for number, (first, second) in enumerate(((half, rest), (rest, half))):
        cut = identify_two(tmp_path / f"{number}", first, second)
        assert (cut.type, cut.bases) == (whole.type, whole.bases)
        assert cut.architecture == whole.architecture
