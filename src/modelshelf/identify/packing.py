"""Quantised weights: the tensors that only serve others, and the shapes that packing hides.

Sources: `bitsandbytes/functional.py` (QuantState) of bitsandbytes-foundation/bitsandbytes;
`comfy/ops.py` and `comfy/quant_ops.py` of Comfy-Org/ComfyUI, `docs/formats` of
Comfy-Org/comfy-quants; `nunchaku/models` of
nunchaku-tech/nunchaku; `sdnq` of Disty0/sdnq; AutoGPTQ; `optimum/quanto` of
huggingface/optimum-quanto; vllm-project/compressed-tensors; LeanModels/DFloat11, which keeps all
matrices of a block as one run of codes under the block's own name.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from math import prod

from modelshelf.identify.width_vote import WidthVote, doubtful_widths
from modelshelf.schema.tensor import TensorEntry

__all__ = [
    "PACKED",
    "RENAMED",
    "Shape",
    "is_companion",
    "is_halved",
    "may_serve",
    "packed_size",
    "true_shape",
    "weight_name",
]

Shape = tuple[int, ...] | None
"""Dimensions, or None where nothing that was read tells them: any shape is possible then."""

# What the scaled, blockwise and grid forms keep beside each weight, by the last step of the name.
_COMPANIONS = frozenset(
    {
        *("scaled_fp8", "scale_weight", "scale_input", "scale_output"),
        *("weight_scale", "weight_scale_2", "weight_scale_inv", "input_scale", "pre_quant_scale"),
        *("comfy_quant", "weight_format", "SCB"),
        *(
            "weight_s_rel",
            "weight_s_channel",
            "weight_codebook",
            "weight_correction",
            "weight_zero",
        ),
        *("absmax", "quant_map", "nested_absmax", "nested_quant_map"),
        *("wscales", "wcscales", "wtscale", "wzeros", "smooth_factor", "smooth_factor_orig"),
        *("proj_down", "proj_up", "qzeros", "g_idx"),
        *("weight_shape", "weight_global_scale", "input_global_scale"),
        *("weight_zero_point", "weight_g_idx"),
        *("_scale", "_shift", "output_scale"),
        *("luts", "encoded_exponent", "sign_mantissa", "output_positions", "gaps"),
        "split_positions",
    }
)
_QUANT_STATE = "bitsandbytes__"
# Words that others use too (FLUX calls its norms' weights `scale`): only beside what they scale.
_BESIDE_WEIGHT = frozenset({"scale", "scales", "zero_point", "svd_up", "svd_down"})
_BESIDE_QWEIGHT = _BESIDE_WEIGHT | {"lora_down", "lora_up"}
_BITS_AND_BYTES = ("absmax", "quant_state.bitsandbytes__nf4", "quant_state.bitsandbytes__fp4")


PACKED = frozenset({"U8", "I8", "I32", "U32", ""})
"""Dtypes whose shapes may be those of packed numbers, or none at all."""


_BYTES = frozenset({"U8", "I8"})

_PACKED_NAME = ".weight_packed"
RENAMED = frozenset({"qweight", "_data", "weight_packed"})
"""Last steps under which a packed weight stands; `weight_name` tells what it is called otherwise."""


def is_companion(name: str, names: Container[str]) -> bool:
    """Say whether the tensor *name* only serves another one: a scale, a map of values, a mark.

    Args:
        name: Folded or not.
        names: All names of the file, of the same form.

    Example:
        >>> is_companion("a.weight_scale", {"a.weight"}), is_companion("norm.scale", {"a.weight"})
        (True, False)
    """
    stem, _, last = name.rpartition(".")
    if last in _COMPANIONS or last.startswith(_QUANT_STATE):
        return True
    return (last in _BESIDE_WEIGHT and f"{stem}.weight" in names) or (
        last in _BESIDE_QWEIGHT and f"{stem}.qweight" in names
    )


def may_serve(last: str) -> bool:
    """Say whether a tensor whose name ends with the step *last* may be a companion at all.

    Example:
        >>> may_serve("weight_scale"), may_serve("scale"), may_serve("weight")
        (True, True, False)
    """
    return last in _COMPANIONS or last in _BESIDE_QWEIGHT or last.startswith(_QUANT_STATE)


def weight_name(name: str) -> str:
    """Return what the tensor is called where nobody packs it.

    Example:
        >>> weight_name("proj.qweight"), weight_name("proj.weight._data")
        ('proj.weight', 'proj.weight')
    """
    if name.endswith(".qweight"):
        return name.removesuffix("qweight") + "weight"
    if name.endswith(_PACKED_NAME):
        return name.removesuffix("_packed")
    # Quanto keeps numbers and scales as members of the weight.
    return name.removesuffix("._data") if name.endswith(".weight._data") else name


def true_shape(name: str, tensors: Mapping[str, TensorEntry], vote: WidthVote) -> Shape:
    """Return the shape that the weight *name* has when it is unpacked.

    Args:
        name: A tensor of *tensors*.
        tensors: All tensors of the file.
        vote: What all of them say where one alone leaves two widths open.

    Returns:
        The shape in the file where nothing is packed; None where the packing hides it, and where
        only an index names the tensor.
    """
    entry = tensors[name]
    if entry.dtype in PACKED and len(entry.shape) > 1:
        return _unpack(name, entry, tensors, vote)
    if entry.dtype in _BYTES and f"{name.removesuffix('weight')}scale" in tensors:
        # SDNQ packs fewer than eight bits into one row of bytes.
        return _split_off(name.removesuffix("weight"), tensors)
    return entry.shape if entry.dtype else None


def packed_size(name: str, tensors: Mapping[str, TensorEntry]) -> int | None:
    """Return how many numbers the weight *name* has, where packing leaves that and hides the shape.

    Args:
        name: A tensor of *tensors*.
        tensors: All tensors of the file.

    Returns:
        The number; None where nothing is packed so, as only bitsandbytes' four bits are.
    """
    if not any(f"{name}.{mark}" in tensors for mark in _BITS_AND_BYTES):
        return None
    # Two to a byte, in one column.
    return 2 * prod(tensors[name].shape)


def is_halved(name: str, tensors: Mapping[str, TensorEntry], vote: WidthVote) -> bool:
    """Say whether the bytes of *name* are pairs of numbers in ComfyUI's forms of four bits.

    Only what lies beside it tells: eight bits are called so too, with one scale or a column of them, and
    with a row of them where another program than ComfyUI wrote the file. Beside ComfyUI's mark such a row
    may mean either, and means pairs where nothing in the file is as wide as the weights or their double.

    Args:
        name: A weight of bytes.
        tensors: All tensors of the file.
        vote: What all of them say where one alone leaves two widths open.
    """
    stem = name.removesuffix("weight")
    if any(f"{stem}{mark}" in tensors for mark in _HALVED):
        return True
    return doubtful_widths(name, tensors) is not None and vote.is_in_fours is not False


_HALVED = ("weight_s_channel", "weight_zero", "smooth_factor")
_MATRIX = 2
_TILED = 4
"""Dimensions of a matrix in tiles."""


def _unpack(
    name: str, entry: TensorEntry, tensors: Mapping[str, TensorEntry], vote: WidthVote
) -> Shape:
    rows, columns = entry.shape[0], entry.shape[1]
    stem = name.removesuffix("weight")
    elements = packed_size(name, tensors)
    if elements is not None:
        # The number of elements is left, and a bias has the rows.
        bias = tensors.get(f"{stem}bias")
        rows = bias.shape[0] if bias is not None and len(bias.shape) == 1 else 0
        return (rows, elements // rows) if rows and elements % rows == 0 else None
    if name.endswith(_PACKED_NAME):
        return _unpack_compressed(name, entry, tensors, vote)
    if entry.dtype in _BYTES and is_halved(name, tensors, vote):
        if len(entry.shape) == _TILED:
            # ComfyUI's SVDQuant cuts the matrix into tiles of 128 rows and 64 columns.
            return rows * 128, columns * 64
        return rows, columns * 2
    if f"{stem}weight_scale_2" in tensors or name.endswith(".qweight"):
        # nvfp4 and SVDQuant pack two to a byte; GPTQ and AWQ eight or four to four bytes.
        return (rows, columns * 2) if entry.dtype in _BYTES else _unpack_grid(name, entry, tensors)
    is_packed = entry.dtype in {"U8", "U32", "I32"}
    return None if is_packed and f"{stem}scale" in tensors else entry.shape


def _unpack_compressed(
    name: str, entry: TensorEntry, tensors: Mapping[str, TensorEntry], vote: WidthVote
) -> Shape:
    """Measure what compressed-tensors packs: two to a byte, or four or eight to four bytes."""
    rows, columns = entry.shape[0], entry.shape[1]
    if entry.dtype in _BYTES:
        return rows, columns * 2
    widths = doubtful_widths(name, tensors)
    if widths is None:
        return None
    scale = tensors[name.removesuffix("packed") + "scale"]
    if vote.is_in_fours is None and scale.shape[1:] <= (1,):
        return None
    # Where groups have scales of their own they are of four bits, unless the file says otherwise.
    return rows, widths[vote.is_in_fours is not False]


def _split_off(stem: str, tensors: Mapping[str, TensorEntry]) -> Shape:
    """Measure a matrix by the one of low rank that SDNQ splits off it; it may lie on its side."""
    up, down = tensors.get(f"{stem}svd_up"), tensors.get(f"{stem}svd_down")
    if up is None or down is None or len(up.shape) != _MATRIX or len(down.shape) != _MATRIX:
        return None
    if up.shape[1] == down.shape[0]:
        return up.shape[0], down.shape[1]
    return (up.shape[1], down.shape[0]) if up.shape[0] == down.shape[1] else None


def _unpack_grid(name: str, entry: TensorEntry, tensors: Mapping[str, TensorEntry]) -> Shape:
    """Measure what GPTQ and AWQ pack by what lies beside it: inputs by outputs, a scale for each output."""
    stem = name.removesuffix("qweight")
    scales, zeros, groups = (tensors.get(f"{stem}{word}") for word in ("scales", "qzeros", "g_idx"))
    if scales is None or len(scales.shape) != _MATRIX:
        return None
    outputs = scales.shape[1]
    if groups is not None and len(groups.shape) == 1:
        return outputs, groups.shape[0]
    if zeros is None or len(zeros.shape) != _MATRIX or not zeros.shape[1]:
        return None
    # AWQ packs the outputs as the zeros are packed, GPTQ the inputs.
    if entry.shape[1] == zeros.shape[1]:
        return outputs, entry.shape[0]
    return (
        (outputs, entry.shape[0] * outputs // zeros.shape[1]) if entry.shape[1] == outputs else None
    )
