"""Quantised weights: the tensors that only serve others, and the shapes that packing hides.

Sources: `bitsandbytes/functional.py` (QuantState) of bitsandbytes-foundation/bitsandbytes;
`comfy/ops.py` and `comfy/quant_ops.py` of Comfy-Org/ComfyUI, `docs/formats` of
Comfy-Org/comfy-quants; `nunchaku/models` of
nunchaku-tech/nunchaku; `sdnq` of Disty0/sdnq; AutoGPTQ; `optimum/quanto` of
huggingface/optimum-quanto; vllm-project/compressed-tensors; `prototype/safetensors` and
`quantization` of pytorch/ao; `hqq/core/quantize.py` of mobiusml/hqq; LeanModels/DFloat11, which keeps all
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
# HQQ writes the settings of each layer beside it, and in its pickles a level below.
_BESIDE_HQQ = frozenset(
    {
        *("nbits", "group_size", "shape", "scale", "zero", "axis", "packing", "unpack_view_dtype"),
        *("view_as_float", "quant_scale", "quant_zero", "compute_dtype", "offload_meta"),
        *("encoded_state_dict", "stores_quant_config", "channel_wise", "optimize", "round_zero"),
    }
)
_META = ".meta"
_TORCH_AO = "_weight_"
_BITS_AND_BYTES = ("absmax", "quant_state.bitsandbytes__nf4", "quant_state.bitsandbytes__fp4")


PACKED = frozenset({"U8", "I8", "I32", "U32", ""})
"""Dtypes whose shapes may be those of packed numbers, or none at all."""


_BYTES = frozenset({"U8", "I8"})

_PACKED_NAME = ".weight_packed"
_HQQ_NAME = ".W_q"
_TORCH_AO_NAME = "._weight_qdata"
RENAMED = frozenset({"qweight", "_data", "weight_packed", "W_q", "_weight_qdata"})
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
    if last.startswith(_TORCH_AO):
        return f".{last}" != _TORCH_AO_NAME and f"{stem}{_TORCH_AO_NAME}" in names
    if last in _BESIDE_HQQ and f"{stem.removesuffix(_META)}{_HQQ_NAME}" in names:
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
    is_named = last in _COMPANIONS or last in _BESIDE_QWEIGHT or last in _BESIDE_HQQ
    return is_named or last.startswith((_QUANT_STATE, _TORCH_AO))


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
    if name.endswith((_HQQ_NAME, _TORCH_AO_NAME)):
        return name[: name.rfind(".")] + ".weight"
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
        if name.endswith(_TORCH_AO_NAME):
            return _unpack_torch_ao(name, entry, tensors)
        if name.endswith(_HQQ_NAME):
            return _by_bias(name.removesuffix("W_q"), _hqq_size(name, tensors), tensors)
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
        The number; None where nothing is packed so, as only bitsandbytes' four bits and HQQ's are.
    """
    if name.endswith(_HQQ_NAME):
        return _hqq_size(name, tensors)
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
    if name.endswith(_TORCH_AO_NAME):
        return _is_torch_ao_halved(name, tensors)
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
        return _by_bias(stem, elements, tensors)
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


def _by_bias(stem: str, elements: int | None, tensors: Mapping[str, TensorEntry]) -> Shape:
    """Measure a matrix of which the number of elements is left: a bias has its rows."""
    bias = tensors.get(f"{stem}bias")
    rows = bias.shape[0] if bias is not None and len(bias.shape) == 1 else 0
    return (rows, elements // rows) if elements and rows and elements % rows == 0 else None


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


def _unpack_torch_ao(name: str, entry: TensorEntry, tensors: Mapping[str, TensorEntry]) -> Shape:
    """Measure what torchao packs: a number to a byte or two, or eight to four bytes, or tiles of these."""
    rows, columns = entry.shape[0], entry.shape[1]
    if entry.dtype in _BYTES:
        return rows, columns * (2 if _is_torch_ao_halved(name, tensors) else 1)
    if len(entry.shape) == _MATRIX:
        return rows, columns * 8
    # Whoever cuts a matrix into tiles keeps its rows where the scales are.
    scale = tensors.get(name.removesuffix("qdata") + "scale_and_zero")
    outputs = scale.shape[1] if scale is not None and len(scale.shape) > 1 else 0
    elements = prod(entry.shape) * 8
    return (outputs, elements // outputs) if outputs and elements % outputs == 0 else None


def _is_torch_ao_halved(name: str, tensors: Mapping[str, TensorEntry]) -> bool:
    """Say whether torchao's bytes are pairs: scales lie on their side then, or are numbers of eight bits."""
    stem, rows = name.removesuffix("qdata"), tensors[name].shape[:1]
    scale = tensors.get(f"{stem}scale")
    if scale is None:
        return f"{stem}group_scale" in tensors
    is_on_its_side = len(scale.shape) == _MATRIX and scale.shape[1:] == rows != scale.shape[:1]
    return is_on_its_side or scale.dtype.startswith("F8_")


def _hqq_size(name: str, tensors: Mapping[str, TensorEntry]) -> int | None:
    """Return how many numbers HQQ packed; None where groups stand upright and nothing tells their length."""
    stem, packed = name.removesuffix("W_q"), tensors[name].shape
    scale = tensors.get(f"{stem}scale") or tensors.get(f"{stem}meta.scale")
    # A shard that is missing has no shape.
    if scale is None or len(scale.shape) != _MATRIX or len(packed) != _MATRIX:
        return None
    # A scale for each group, and a group in each row: what is packed are the rows.
    return scale.shape[0] * packed[1] if scale.shape[1] == 1 else None


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
