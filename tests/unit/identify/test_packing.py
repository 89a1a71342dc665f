"""What torchao and HQQ pack is the model that it was, under the names that they give its weights."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from modelshelf.identify import identify
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.encoder_layouts import language_model
from tests.unit.identify.recorded import RECORDED


def _beside(stem: str, **members: tuple[str, tuple[int, ...]]) -> dict[str, TensorEntry]:
    return {f"{stem}{name}": TensorEntry(*entry, 0, 2) for name, entry in members.items()}


def _eight_bits(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    start = f"{stem}_weight_"
    return _beside(start, qdata=("F8_E4M3", (rows, columns)), scale=("F32", (rows, 1)))


def _bytes(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    zero = ("I8", (rows, columns // 32))
    scale = ("BF16", (rows, columns // 32))
    start = f"{stem}_weight_"
    return _beside(start, qdata=("I8", (rows, columns)), scale=scale, zero_point=zero)


def _pairs(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    groups = ("BF16", (columns // 64, rows))
    start = f"{stem}_weight_"
    return _beside(start, qdata=("I8", (rows, columns // 2)), scale=groups, zero_point=groups)


def _pairs_of_floats(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    scale = ("F8_E4M3", (rows, columns // 16))
    start = f"{stem}_weight_"
    whole = ("F32", ())
    packed = ("U8", (rows, columns // 2))
    return _beside(start, qdata=packed, scale=scale, per_tensor_scale=whole)


def _tiles(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    tiles = ("I32", (rows // 8, columns // 64, 32, 2))
    both = ("BF16", (columns // 64, rows, 2))
    return _beside(f"{stem}_weight_", qdata=tiles, scale_and_zero=both)


def _hqq(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    """Four bits in groups of 64, two numbers to a byte, with every setting beside it."""
    groups = rows * columns // 64
    return _beside(
        stem,
        W_q=("U8", (groups // 2, 64)),
        scale=("F16", (groups, 1)),
        zero=("F16", (groups, 1)),
        nbits=("I32", ()),
        shape=("I64", (2,)),
        packing=("U8", (7,)),
        view_as_float=("U8", ()),
    )


def _hqq_pickled(stem: str, rows: int, columns: int) -> dict[str, TensorEntry]:
    """As HQQ's own files keep it: the settings a level below, and groups that stand upright."""
    groups = rows * columns // 64
    packed = _beside(stem, W_q=("U8", (32, groups)))
    return packed | _beside(f"{stem}meta.", scale=("F16", (1, groups)), nbits=("I32", ()))


Pack = Callable[[str, int, int], dict[str, TensorEntry]]


def _packed(shapes: Shapes, pack: Pack) -> TensorIndex:
    """Pack every matrix of a list of blocks."""
    entries: dict[str, TensorEntry] = {}
    for name, shape in shapes.items():
        is_packed = re.match(r"\w+\.[0-9]+\.", name) and name.endswith(".weight") and len(shape) > 1
        if is_packed and all(side % 128 == 0 for side in shape):
            entries |= pack(name.removesuffix("weight"), *shape)
        else:
            entries[name] = TensorEntry("BF16", shape, 0, 2)
    return TensorIndex(entries)


@pytest.mark.parametrize(
    ("pack", "word"),
    [
        (_eight_bits, "fp8_scaled"),
        (_bytes, "int8"),
        (_pairs, "int4"),
        (_pairs_of_floats, "nvfp4"),
        (_tiles, "int4"),
        (_hqq, "hqq"),
        (_hqq_pickled, "hqq"),
    ],
)
@pytest.mark.parametrize("name", ["flux-dev", "qwen-image", "sd-3.5-large", "z-image"])
def test_a_base_is_known_as_torchao_and_hqq_pack_it(name: str, pack: Pack, word: str) -> None:
    """Under names of their own, with scales beside them, and in half of the columns or none."""
    identity = identify(_packed(RECORDED[name].shapes, pack))
    assert (identity.type, identity.base) == ("main", RECORDED[name].base)
    assert identity.precision == word


@pytest.mark.parametrize("width", [3584, 7168])
def test_pairs_of_torchao_are_as_wide_as_two_numbers_to_a_byte(width: int) -> None:
    """A language model of the same names that is half as wide inside is another one."""
    sizes = (3584, 28, 152064, 18944, 512)
    shapes = language_model(sizes, "bias", naming="")
    columns = {name: (shape[0], width) for name, shape in shapes.items() if "gate_proj" in name}
    identity = identify(_packed(shapes | columns, _pairs))
    assert identity.architecture == ("qwen2.5-7b" if width == sizes[0] else "")


@pytest.mark.parametrize("lost", [("W_q",), ("scale", "zero"), ("shape",), ("nbits",)])
def test_a_layer_of_hqq_that_lost_a_part_to_a_missing_shard_measures_nothing(
    lost: tuple[str, ...],
) -> None:
    """The other layers tell what the model is."""
    tensors = dict(_packed(RECORDED["flux-dev"].shapes, _hqq).tensors)
    layers = {name.removesuffix("W_q") for name in tensors if name.endswith(".W_q")}
    for layer in sorted(layers)[:40]:
        tensors |= {f"{layer}{one}": TensorEntry("", (), 0, 0) for one in lost}
    assert identify(TensorIndex(tensors)).base == "flux"


@pytest.mark.parametrize("shape", [(), (0,), (0, 0), (3, 5, 7, 0), (1, 2, 3, 4, 5)])
def test_no_shape_of_what_is_packed_breaks_the_reading(shape: tuple[int, ...]) -> None:
    """Whatever a file claims, the answer is that nobody knows it."""
    odd = {
        "blocks.0._weight_qdata": TensorEntry("I32", shape, 0, 2),
        "blocks.0._weight_scale_and_zero": TensorEntry("BF16", shape, 0, 2),
        "blocks.1._weight_qdata": TensorEntry("I8", shape, 0, 2),
        "blocks.1._weight_scale": TensorEntry("BF16", shape, 0, 2),
        "blocks.2.W_q": TensorEntry("U8", shape, 0, 2),
        "blocks.2.scale": TensorEntry("F16", shape, 0, 2),
        "blocks.2.bias": TensorEntry("F16", shape, 0, 2),
        "blocks.3.W_q": TensorEntry("U8", (4, 64), 0, 2),
        "blocks.3.scale": TensorEntry("F16", (8, 1), 0, 2),
        "blocks.3.bias": TensorEntry("F16", shape, 0, 2),
    }
    assert identify(TensorIndex(odd)).type == "unknown"
