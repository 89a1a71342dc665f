"""How many numbers the units of a packed file hold where what lies beside each of them allows two answers.

Most models have layers that take as many numbers as they give, and what a layer takes another one or a
norm gives. So all weights in doubt vote, and the file is read one way.

Sources: `comfy/quant_ops.py` of Comfy-Org/ComfyUI (`convrot_w4a4` keeps pairs and a row of scales) and
programs that write `int8_tensorwise` with such a row; `compressors/quantized_compressors/pack_quantized.py`
of vllm-project/compressed-tensors (four bits or eight, packed into 32).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from modelshelf.schema.tensor import TensorEntry

__all__ = ["WidthVote", "doubtful_widths"]

_MATRIX = 2
_PACKED = ".weight_packed"
_FEW = 0.05
"""Share of the weights up to which squares are coincidence."""
_GIVING = frozenset({"weight", "bias", "weight_packed"})
"""Last steps of what has a row for each number that a layer gives, and of norms."""


def doubtful_widths(name: str, tensors: Mapping[str, TensorEntry]) -> tuple[int, int] | None:
    """Return the two widths that the packed matrix *name* may have; None where it may have but one.

    Args:
        name: A tensor of *tensors*.
        tensors: All tensors of the file.

    Returns:
        In numbers: with eight bits each, and with four.

    Example:
        >>> packed = TensorEntry("I32", (64, 8), 0, 2048)
        >>> scale = TensorEntry("BF16", (64, 2), 2048, 2304)
        >>> doubtful_widths("a.weight_packed", {"a.weight_packed": packed, "a.weight_scale": scale})
        (32, 64)
    """
    entry = tensors[name]
    if len(entry.shape) != _MATRIX:
        return None
    rows, columns = entry.shape
    if name.endswith(_PACKED):
        stem = name.removesuffix("packed")
        scale = tensors.get(f"{stem}scale")
        if entry.dtype != "I32" or scale is None or scale.shape[:1] != (rows,):
            return None
        return 4 * columns, 8 * columns
    stem = name.removesuffix("weight")
    scale = tensors.get(f"{stem}weight_scale")
    if (
        entry.dtype == "I8"
        and rows > 1
        and scale is not None
        and scale.shape == (rows,)
        and f"{stem}comfy_quant" in tensors
    ):
        return columns, 2 * columns
    return None


class WidthVote:
    """Which of two widths the weights of one file have, whose packing leaves both open."""

    def __init__(self, tensors: Mapping[str, TensorEntry]) -> None:
        self._tensors = tensors

    @cached_property
    def is_in_fours(self) -> bool | None:
        """True where they hold numbers of four bits, False where of eight, None where nothing tells."""
        given = frozenset(self._given())
        squares = doubted = 0
        known: Counter[tuple[bool, bool]] = Counter()
        for name in self._tensors:
            widths = doubtful_widths(name, self._tensors)
            if widths is not None:
                doubted += 1
                in_eights, in_fours = widths
                rows = self._tensors[name].shape[0]
                squares += (rows == in_fours) - (rows == in_eights)
                known[in_eights in given, in_fours in given] += 1
        if abs(squares) > _FEW * doubted:
            return squares > 0
        # What gives half of a width, as keys of fewer heads do, speaks for eights where both are given.
        alone = known[False, True] - known[True, False]
        together = alone - known[True, True]
        return alone > 0 if alone * together > 0 else None

    def _given(self) -> Iterator[int]:
        """Yield the sizes of outputs and norms."""
        for name, entry in self._tensors.items():
            if name[name.rfind(".") + 1 :] in _GIVING:
                yield from entry.shape[:1]
