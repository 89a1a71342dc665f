"""How the modules of a host are written, and what holds an adapter against them."""

from __future__ import annotations

import pytest

from modelshelf.errors import UsageError
from modelshelf.identify import Families, Family, identify
from modelshelf.identify.condition import Condition
from modelshelf.identify.host import Fits, Host, Spans
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from tests.unit.identify.layouts import Shapes, index_of


def _fits(shapes: Shapes, *conditions: Condition) -> bool:
    """Say whether an adapter fulfils these conditions, asked of one family alone."""
    family = Family(
        id="toy/lora",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        bases=(BaseModelType.WAN,),
        conditions=conditions,
    )
    return identify(index_of(shapes), families=Families([family])).base is BaseModelType.WAN


def _pair(path: str, outputs: int, inputs: int, *kernel: int) -> Shapes:
    return {
        f"{path}.lora_A.weight": (4, inputs, *kernel),
        f"{path}.lora_B.weight": (outputs, 4, *(1 for _ in kernel)),
    }


_TOY = Host(
    "toy/original",
    """
    blocks.{n}.attn.(q|k)  w w
    blocks.{2-3}.late  w 3w
    blocks.{n}.mlp.0  w 4w
    conv  4 w 3x3
    norm  w
    anything
    entry  ? w
    """,
    {"w": 64, "n": 6},
)


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        (_pair("blocks.5.attn.q", 64, 64), True),
        (_pair("blocks.5.attn.k", 64, 64), True),
        (_pair("blocks.5.attn.v", 64, 64), False),
        (_pair("blocks.6.attn.q", 64, 64), False),
        (_pair("blocks.0.attn.q", 64, 65), False),
        (_pair("blocks.0.attn.q", 64, 64, 1, 1), False),
        (_pair("blocks.3.late", 192, 64), True),
        (_pair("blocks.1.late", 192, 64), False),
        (_pair("blocks.1.mlp.0", 256, 64), True),
        (_pair("blocks.1.mlp.2", 256, 64), False),
        (_pair("conv", 64, 4, 3, 3), True),
        (_pair("conv", 64, 36), False),
        ({"conv.hada_w1_a": (64, 2), "conv.hada_w1_b": (2, 36)}, True),
        ({"norm.w_norm": (64,), "norm.b_norm": (64,)}, True),
        ({"norm.w_norm": (63,)}, False),
        ({**_pair("anything", 7, 9), **_pair("entry", 64, 999)}, True),
        (_pair("entry", 63, 999), False),
        (_pair("blocks.#.attn.q", 64, 64), False),
        ({**_pair("blocks.0.attn.q", 64, 64), **_pair("blocks.#.attn.q", 64, 64)}, False),
    ],
)
def test_every_line_is_a_module_of_a_width(shapes: Shapes, *, expected: bool) -> None:
    """Paths, bounds, alternatives, kernels and widths are all held against the adapter."""
    assert _fits(shapes, Fits(_TOY)) is expected


@pytest.mark.parametrize("modules", ["blocks.0  w 5q", "blocks.{m}.q  w w", "blocks.0  w W"])
def test_a_size_that_nobody_explains_is_a_mistake(modules: str) -> None:
    """The line says which, to whoever writes a host."""
    host = Host("toy", modules, {"w": 64})
    with pytest.raises(UsageError, match="no number and no size"):
        host.knows("blocks.#")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [(range(8), True), (range(4, 8), True), (range(5, 8), False), (range(7), False), (range(9), False)],
)  # fmt: skip
def test_a_stack_is_spanned_up_to_its_end(numbers: range, *, expected: bool) -> None:
    """Most of the blocks, the last among them, and none behind it."""
    shapes: Shapes = {}
    for number in numbers:
        shapes |= _pair(f"blocks.{number}.attn.q", 64, 64)
    assert _fits(shapes, Spans("denoiser:blocks_#_*", 8)) is expected


_W = Host("toy/linear", "q  48 32")


@pytest.mark.parametrize(
    "pieces",
    [
        {"a1.weight": (4, 48), "a2.weight": (48, 4), "b1.weight": (4, 48), "b2.weight": (32, 4)},
        {"a1.weight": (48, 4), "a2.weight": (4, 48), "b1.weight": (32, 4), "b2.weight": (4, 48)},
        {"lokr_w1_a": (4, 2), "lokr_w1_b": (2, 6), "lokr_w2": (8, 8)},
        {"lokr_w1": (4, 6), "lokr_w2_a": (2, 8), "lokr_w2_b": (2, 8), "lokr_t2": (2, 2, 1, 1)},
        {"boft_R": (2, 6, 8, 8), "boft_s": (32, 1)},
        {"oft_R.weight": (6, 28)},
        {"ia3_l": (32, 1)},
        {"ia3_l": (1, 48)},
        {"diff": (32, 48)},
        {"set_weight": (32, 48), "set_bias": (32,)},
        {"lora_A.weight": (4, 48), "lora_B.weight": (32, 4), "lora_B.bias": (32,)},
        {"lora_A.weight": (4, 48), "lora_B.weight": (32, 4), "lora_magnitude_vector": (32,)},
    ],
)
def test_each_network_tells_a_width_in_its_own_way(pieces: Shapes) -> None:
    """The same module of 48 to 32, by what each kind of network keeps of it."""
    assert _fits({f"q.{ending}": shape for ending, shape in pieces.items()}, Fits(_W))
    wider = Host("toy/other", "q  49 33")
    assert not _fits({f"q.{ending}": shape for ending, shape in pieces.items()}, Fits(wider))


@pytest.mark.parametrize(
    "pieces",
    [
        {"lora_A.weight": (4,), "lora_B.weight": ()},
        {"diff": ()},
        {"oft_blocks": (8, 8)},
        {"oft_R.weight": (6, 29)},
        {"hada_w1_a": (32,), "hada_w2_a": ()},
        {"b1.weight": (32, 5), "b2.weight": (4, 48)},
        {"lora_magnitude_vector": (1, 32)},
    ],
)
def test_pieces_of_no_network_tell_nothing(pieces: Shapes) -> None:
    """A host that asks no width of a path alone would be a guess."""
    assert not _fits({f"q.{ending}": shape for ending, shape in pieces.items()}, Fits(_W))


def test_thousands_of_different_paths_are_no_adapter() -> None:
    """No denoiser has so many kinds of modules; reading on would only cost time."""
    shapes: Shapes = {}
    for first in range(70):
        for second in range(70):
            shapes[f"x{first}y.z{second}w.lora_A.weight"] = (4, 8)
    assert identify(index_of(shapes)).type.value == "unknown"
