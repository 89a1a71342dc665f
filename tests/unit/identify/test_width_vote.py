"""Weights whose packing leaves two widths open: ComfyUI's rows of scales, and compressed-tensors."""

from __future__ import annotations

from math import prod

import pytest

from modelshelf.identify import identify
from modelshelf.identify.width_vote import WidthVote, doubtful_widths
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from modelshelf.testing import tiny
from tests.unit.identify.layouts import Shapes
from tests.unit.identify.recorded import RECORDED

_SIZES = {"BF16": 2, "F32": 4, "I8": 1, "U8": 1, "I32": 4, "I64": 8}
_MODELS: dict[str, tuple[str, Shapes]] = {
    **{
        name: (RECORDED[name].base, RECORDED[name].shapes)
        for name in (
            *("flux-dev", "flux2-klein-4b.original", "qwen-image", "z-image.original", "chroma"),
            *("sd-3.5-large", "hidream", "lumina2.original", "auraflow.original", "krea-2"),
            *("hunyuan-image.original", "anima.original", "ideogram-4.original"),
            *("kandinsky-5-video-lite", "ernie-image", "cogview4", "wan-animate-2.original"),
        )
    },
    **{base: (base, dict(tiny.unet_layout(base))) for base in ("sd-1", "sd-2", "sdxl")},
}


def _is_packed(name: str, shape: tuple[int, ...]) -> bool:
    # What programs quantise: wide matrices of blocks.
    return name.endswith(".weight") and len(shape) == 2 and min(shape) >= 512 and "_in" not in name


def _packed(shapes: Shapes, form: str, bits: int) -> TensorIndex:
    entries: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        if not _is_packed(name, shape):
            entries[name] = ("BF16", shape)
            continue
        rows, columns = shape
        if form == "rows":
            entries[name] = ("I8", (rows, columns * bits // 8))
            entries[f"{name}_scale"] = ("F32", (rows,))
            entries[name.removesuffix("weight") + "comfy_quant"] = ("U8", (29,))
        else:
            entries[f"{name}_packed"] = ("I32", (rows, columns * bits // 32))
            entries[f"{name}_scale"] = ("BF16", (rows, columns // 64))
            entries[f"{name}_shape"] = ("I64", (2,))
    return TensorIndex(
        {
            name: TensorEntry(dtype, shape, 0, prod(shape) * _SIZES[dtype])
            for name, (dtype, shape) in entries.items()
        }
    )


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("form", ["rows", "groups"])
@pytest.mark.parametrize("model", _MODELS)
def test_all_weights_together_say_how_many_bits_they_have(model: str, form: str, bits: int) -> None:
    """One alone says nothing: half of a width is another width."""
    base, shapes = _MODELS[model]
    identity = identify(_packed(shapes, form, bits))
    assert (identity.base.value, identity.precision) == (base, f"int{bits}")


def test_what_nothing_tells_is_of_four_bits_where_groups_or_comfyui_say_so() -> None:
    """A layer alone, twice as wide as what it gives and half as wide, may be either."""
    rows = _packed({"a.weight": (512, 4096)}, "rows", 4)
    groups = _packed({"a.weight": (512, 4096)}, "groups", 4)
    assert (identify(rows).precision, identify(groups).precision) == ("int4", "int4")


def _entries(**shapes: tuple[str, tuple[int, ...]]) -> dict[str, TensorEntry]:
    return {
        f"a.{name}": TensorEntry(dtype, shape, 0, prod(shape) * _SIZES[dtype])
        for name, (dtype, shape) in shapes.items()
    }


@pytest.mark.parametrize(
    ("tensors", "widths"),
    [
        (_entries(weight_packed=("I32", (64, 8)), weight_scale=("BF16", (64, 2))), (32, 64)),
        (_entries(weight_packed=("I64", (64, 8)), weight_scale=("BF16", (64, 2))), None),
        (_entries(weight_packed=("I32", (64, 8))), None),
        (_entries(weight_packed=("I32", (64, 8)), weight_scale=("BF16", (32, 2))), None),
        (
            _entries(weight=("I8", (2, 8)), weight_scale=("F32", (2,)), comfy_quant=("U8", (29,))),
            (8, 16),
        ),
        # One scale for a single row may as well be one for all.
        (
            _entries(weight=("I8", (1, 8)), weight_scale=("F32", (1,)), comfy_quant=("U8", (29,))),
            None,
        ),
        (_entries(weight=("I8", (2, 8)), weight_scale=("F32", (2,))), None),
        (_entries(weight=("I8", (2, 8)), comfy_quant=("U8", (29,))), None),
        (
            _entries(weight=("I8", (2, 8)), weight_scale=("F32", (2, 1)), comfy_quant=("U8", (9,))),
            None,
        ),
        (
            _entries(weight=("U8", (2, 8)), weight_scale=("F32", (2,)), comfy_quant=("U8", (9,))),
            None,
        ),
        # A convolution is packed by its rows, which hold as many numbers either way.
        (
            _entries(
                weight=("I8", (2, 8, 1)), weight_scale=("F32", (2,)), comfy_quant=("U8", (9,))
            ),
            None,
        ),
    ],
)
def test_a_width_is_in_doubt_where_scales_fit_both(
    tensors: dict[str, TensorEntry], widths: tuple[int, int] | None
) -> None:
    assert doubtful_widths(min(tensors, key=lambda name: "comfy" in name), tensors) == widths


@pytest.mark.parametrize(("beside", "is_in_fours"), [("bias", True), ("scale_shift_table", None)])
def test_what_no_layer_gives_says_nothing_of_widths(
    beside: str, *, is_in_fours: bool | None
) -> None:
    """Sixteen numbers in fours, eight in eights: only a layer or a norm of sixteen tells."""
    doubted = _entries(weight=("I8", (4, 8)), weight_scale=("F32", (4,)), comfy_quant=("U8", (9,)))
    given = {f"b.{beside}": TensorEntry("BF16", (16,), 0, 32)}
    assert WidthVote(doubted | given).is_in_fours is is_in_fours


def _file(*matrices: tuple[int, int], given: tuple[int, ...] = ()) -> WidthVote:
    """Matrices in doubt, as rows and bytes of a row, and norms of so many numbers."""
    tensors = {f"norm{size}.weight": TensorEntry("BF16", (size,), 0, 2 * size) for size in given}
    for number, (rows, columns) in enumerate(matrices):
        for name, entry in _entries(
            weight=("I8", (rows, columns)), weight_scale=("F32", (rows,)), comfy_quant=("U8", (9,))
        ).items():
            tensors[f"{number}.{name}"] = entry
    return WidthVote(tensors)


_EIGHTS, _FOURS, _NEITHER = (8, 8), (16, 8), (4, 10)
"""A square where eight bits each, one where four, and none."""


@pytest.mark.parametrize(
    ("matrices", "is_in_fours"),
    [
        ([_EIGHTS], False),
        ([_FOURS], True),
        ([_EIGHTS, _FOURS, _FOURS], True),
        ([_FOURS, _EIGHTS, _EIGHTS], False),
        ([_FOURS, *[_NEITHER] * 18], True),
        ([_EIGHTS, *[_NEITHER] * 18], False),
        ([_NEITHER], None),
        ([], None),
    ],
)
def test_most_squares_tell_the_width(
    matrices: list[tuple[int, int]], *, is_in_fours: bool | None
) -> None:
    """Most models have layers that give as many numbers as they take."""
    assert _file(*matrices).is_in_fours is is_in_fours


def test_one_square_in_twenty_is_chance() -> None:
    """Then it counts what other layers give."""
    assert _file(_FOURS, *[_NEITHER] * 19, given=(10,)).is_in_fours is False
    assert _file(_FOURS, *[_NEITHER] * 18, given=(10,)).is_in_fours is True


@pytest.mark.parametrize(
    ("columns", "given", "is_in_fours"),
    [
        # What is given in fours alone, in eights alone, in both.
        ([8], (16,), True),
        ([8], (8,), False),
        ([8], (8, 16), None),
        ([8], (5,), None),
        # More in fours than in eights, and than in both.
        ([8, 10, 12], (16, 20, 12), True),
        ([8, 10, 12], (8, 10, 24), False),
        ([8, 12], (8, 24), None),
        ([8, 10, 12], (16, 20, 12, 24), True),
        ([8, 10, 12], (16, 10, 20, 12, 24), None),
        ([8, 10], (16, 20, 10), None),
        ([8, 10, 12], (8, 20, 10, 12, 24), False),
    ],
)
def test_what_other_layers_give_tells_the_width(
    columns: list[int], given: tuple[int, ...], *, is_in_fours: bool | None
) -> None:
    """What is given in both widths speaks for eights: of four bits it would be half by chance."""
    matrices = [(4, each) for each in columns]
    assert _file(*matrices, given=given).is_in_fours is is_in_fours


def test_what_has_no_sides_or_no_path_gives_nothing_else() -> None:
    """A number alone is no row; a tensor may have no name before its last step."""
    doubted = {
        "weight": TensorEntry("I8", (4, 8), 0, 32),
        "weight_scale": TensorEntry("F32", (4,), 0, 16),
        "comfy_quant": TensorEntry("U8", (9,), 0, 9),
    }
    alone = {"a.weight": TensorEntry("BF16", (), 0, 2)}
    assert WidthVote(doubted | alone).is_in_fours is None
    assert WidthVote(doubted | alone | {"bias": TensorEntry("BF16", (16,), 0, 32)}).is_in_fours


def test_packed_layers_give_to_each_other() -> None:
    """The second one gives 64, and the first one takes as many, if they are of four bits."""
    packed = _entries(weight_packed=("I32", (10, 8)), weight_scale=("BF16", (10, 2)))
    other = {
        "b.weight_packed": TensorEntry("I32", (64, 5), 0, 1280),
        "b.weight_scale": TensorEntry("BF16", (64, 1), 0, 128),
    }
    assert WidthVote(packed | other).is_in_fours is True
    assert WidthVote(packed).is_in_fours is None
