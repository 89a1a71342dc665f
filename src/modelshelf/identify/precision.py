"""How exactly the numbers of a model are kept: one word for its denoiser's matrices.

Plain dtypes have their own words. Quantised forms are known by the tensors that they keep beside
each weight, never by the first dtype that comes along: a file in nf4 is mostly bytes called `U8`.

GGUF packs rows, so a convolution, whose rows are as short as its kernel, stays as it was: a UNet in Q8_0 is
mostly bytes of F16. There only what can be packed counts, number by number, as fewer bits are no smaller part.
Source of the file types: `include/llama.h` of ggml-org/llama.cpp, enum llama_ftype.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from math import prod
from types import MappingProxyType

from modelshelf.identify.layout import Group, Layout
from modelshelf.identify.packing import is_halved
from modelshelf.schema.tensor import Container, TensorEntry

__all__ = ["configured_precision", "precision_of"]

_WORDS = {
    "F64": "fp64",
    "F32": "fp32",
    "F16": "fp16",
    "BF16": "bf16",
    "F8_E4M3": "fp8_e4m3fn",
    "F8_E5M2": "fp8_e5m2",
    "I8": "int8",
    "U8": "uint8",
}
_UNPACKED = frozenset({"F64", "F32", "F16", "BF16", "I64", "BOOL"})
_FP8 = frozenset({"F8_E4M3", "F8_E5M2"})
_SCALES = frozenset({"scale_weight", "weight_scale", "weight_scale_inv", "_weight_scale"})
# Quanto's, beside numbers of any dtype.
_INTEGER_SCALES = _SCALES | {"_scale"}
# Exponents alone, which ComfyUI writes as the bytes that they are.
_EXPONENTS = frozenset({"F8_E8M0", "U8"})

# The first that is there decides: later ones are companions that several forms share.
_MARKS = (
    ("encoded_exponent", "dfloat11"),
    ("bitsandbytes__nf4", "bnb_nf4"),
    ("bitsandbytes__fp4", "bnb_fp4"),
    ("absmax", "bnb_nf4"),
    ("SCB", "bnb_int8"),
    ("wscales", "svdquant"),
    ("smooth_factor", "svdquant"),
    ("weight_s_channel", "int4"),
    ("weight_zero", "int4"),
    ("weight_scale_2", "nvfp4"),
    ("weight_global_scale", "nvfp4"),
    ("_weight_per_tensor_scale", "nvfp4"),
    ("_weight_scale_and_zero", "int4"),
    ("_weight_group_scale", "int4"),
    ("weight_shape", "int4"),
    ("nbits", "hqq"),
    ("g_idx", "gptq"),
    ("qzeros", "awq"),
    ("svd_up", "sdnq"),
    ("zero_point", "sdnq"),
    ("scale", "sdnq"),
)
_FILE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "2": "Q4_0",
        "3": "Q4_1",
        "7": "Q8_0",
        "8": "Q5_0",
        "9": "Q5_1",
        "10": "Q2_K",
        "11": "Q3_K",
        "12": "Q3_K",
        "13": "Q3_K",
        "14": "Q4_K",
        "15": "Q4_K",
        "16": "Q5_K",
        "17": "Q5_K",
        "18": "Q6_K",
        "19": "IQ2_XXS",
        "20": "IQ2_XS",
        "21": "Q2_K",
        "23": "IQ3_XXS",
        "24": "IQ1_S",
        "25": "IQ4_NL",
        "26": "IQ3_S",
        "28": "IQ2_S",
        "30": "IQ4_XS",
        "31": "IQ1_M",
        "36": "TQ1_0",
        "37": "TQ2_0",
    }
)
"""What GGUF's `general.file_type` says → the kind that gave the file its name. Others tell no kind."""
_MOSTLY = 0.6
"""Share from which one dtype speaks for all: of the bytes, of the numbers in GGUF."""
_ROWS = 2
"""Dimensions of what GGUF packs."""
_WIDE = 512
"""Smaller side from which a matrix of a block is one of those that quantising is for: the low-rank
modulations of some models stay as they are in every published file."""
_LEFT_ALONE = 0.02
"""Share of such matrices' numbers in 16 bit from which scaled fp8 is called mixed."""


def precision_of(layout: Layout) -> str | None:
    """Return the word for the part that speaks for the file; None where it has no bytes.

    Plain: `fp64`, `fp32`, `fp16`, `bf16`, `fp8_e4m3fn`, `fp8_e5m2`, `int8`; GGUF's kinds as `q4_k`;
    `mixed` where none has three fifths of the bytes and, in GGUF, the file does not name one of them.
    Quantised: `fp8_scaled`, `fp8_mixed` (some of the blocks' matrices stayed in 16 bit), `mxfp8`, `nvfp4`,
    `int4` (ComfyUI's forms), `dfloat11`, `bnb_nf4`, `bnb_fp4`, `bnb_int8`, `svdquant`, `gptq`, `awq`, `sdnq`,
    `hqq`.

    Args:
        layout: The tensors of one file, or of all shards.
    """
    if len(layout.dtypes) == 1 and not layout.companions:
        return _word(min(layout.dtypes))
    marks = {name.rpartition(".")[2] for name in layout.companions}
    marked = next((word for mark, word in _MARKS if mark in marks), None)
    # Whatever lies beside them, numbers of 16 bits and more are not packed.
    if marked is not None and not layout.dtypes <= _UNPACKED:
        # compressed-tensors packs numbers of eight bits too.
        in_eights = "weight_shape" in marks and layout.shapes.vote.is_in_fours is False
        return "int8" if in_eights and marked == "int4" else marked
    groups = layout.groups(layout.leading)
    sizes = _sizes(groups.values(), layout)
    scaled = _scaled(layout, groups, sizes, marks)
    if scaled is not None:
        return scaled
    most = min(sizes, key=lambda one: (-sizes[one], one), default="")
    is_most = sizes[most] >= _MOSTLY * sizes.total()
    if not is_most or most in _UNPACKED:
        # What was left as it was does not overrule the kind that the rest was packed in.
        said = _FILE_TYPES.get(layout.index.metadata.get("general.file_type", ""), "")
        if said in sizes:
            return _word(said)
    return _word(most) if is_most else "mixed"


def configured_precision(settings: Mapping[str, object]) -> str | None:
    """Return the word for what a folder's configuration says its weights are packed in; None where it does not.

    For folders whose weights are elsewhere: diffusers and transformers write `quantization_config`,
    DFloat11 `dfloat11_config`.

    Args:
        settings: The configuration.

    Example:
        >>> configured_precision({"quantization_config": {"quant_method": "gptq", "bits": 4}})
        'gptq'
    """
    if isinstance(settings.get("dfloat11_config"), Mapping):
        return "dfloat11"
    packing = settings.get("quantization_config")
    if not isinstance(packing, Mapping):
        return None
    method = packing.get("quant_method")
    if method == "bitsandbytes":
        if packing.get("load_in_8bit") is True:
            return "bnb_int8"
        kind = packing.get("bnb_4bit_quant_type")
        is_packed = packing.get("load_in_4bit") is True and kind in ("nf4", "fp4")
        return f"bnb_{kind}" if is_packed else None
    return method if isinstance(method, str) and method in _METHODS else None


_METHODS = frozenset({"gptq", "awq", "sdnq", "svdquant", "hqq"})
"""Methods that have the names of their words."""


def _scaled(
    layout: Layout, groups: Mapping[str, Group], sizes: Counter[str], marks: set[str]
) -> str | None:
    """Return the word for numbers of eight bits or four that a scale makes whole; None where there are none."""
    # What stands outside the blocks may be most of a small file, and is never quantised.
    if not _FP8.isdisjoint(sizes) and (scale := _scale_dtype(layout)) is not None:
        if scale in _EXPONENTS:
            return "mxfp8"
        return "fp8_mixed" if _leaves_alone(groups, layout.index.tensors) else "fp8_scaled"
    # Convolutions stay as they were, and are most of a small UNet.
    if "I8" in sizes and not marks.isdisjoint(_INTEGER_SCALES):
        return "int4" if _is_mostly_halved(groups.values(), layout) else "int8"
    return None


def _word(dtype: str) -> str | None:
    return _WORDS.get(dtype, dtype.lower() or None)


def _sizes(groups: Iterable[Group], layout: Layout) -> Counter[str]:
    """Add up the bytes of each dtype, or in GGUF its numbers: of matrices, or of all where there is none."""
    is_gguf = layout.index.container is Container.GGUF
    matrices: Counter[str] = Counter()
    kernels: Counter[str] = Counter()
    others: Counter[str] = Counter()
    names = chain.from_iterable(group.names for group in groups)
    for kind, count in Counter(map(layout.shapes.kinds.__getitem__, names)).items():
        sizes = matrices if len(kind.shape) > 1 else others
        if is_gguf and len(kind.shape) > _ROWS and kind.dtype in _UNPACKED:
            sizes = kernels
        sizes[kind.dtype] += (prod(kind.shape) if is_gguf else kind.length) * count
    return +matrices or +kernels or +others


def _scale_dtype(layout: Layout) -> str | None:
    for name in sorted(layout.companions):
        last = name.rpartition(".")[2]
        if last in _SCALES:
            return layout.index.tensors[min(layout.companions[name])].dtype
    return None


def _is_mostly_halved(groups: Iterable[Group], layout: Layout) -> bool:
    """Say whether most of the bytes called `I8` hold two numbers each."""
    tensors = layout.index.tensors
    sizes: Counter[bool] = Counter()
    for name in chain.from_iterable(group.names for group in groups):
        entry = tensors[name]
        if entry.dtype == "I8" and len(entry.shape) > 1:
            sizes[is_halved(name, tensors, layout.shapes.vote)] += entry.end - entry.begin
    return sizes[True] > sizes[False]


def _leaves_alone(groups: Mapping[str, Group], tensors: Mapping[str, TensorEntry]) -> bool:
    """Say whether lists of blocks that are quantised keep wide matrices in more bits than eight."""
    quantised: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for folded, group in groups.items():
        blocks, number, _ = folded.partition(".#.")
        for name in group.names if number else ():
            entry = tensors[name]
            if len(entry.shape) > 1 and min(entry.shape) >= _WIDE:
                sizes = quantised if entry.dtype in _FP8 else left
                sizes[blocks] += entry.shape[0] * entry.shape[1]
    kept = sum(left[blocks] for blocks in quantised)
    return kept > _LEFT_ALONE * (quantised.total() + kept)
