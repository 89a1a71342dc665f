"""How wide a module is, by the pieces of an adapter that belong to it.

Low-rank pairs show both widths, products of factors show them multiplied, rotations one of the two.

Sources: `lycoris/modules/*.py` of KohakuBlueleaf/LyCORIS, `peft/tuners` of huggingface/peft.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod

__all__ = ["COMPANIONS", "Widths", "network_of"]

COMPANIONS = frozenset(
    {
        *("alpha", "scalar", "on_input", "reshape_weight", "rescale", "dora_scale", "lora_mid"),
        *("boft_s", "lora_E", "ranknum"),
    }
)
"""Pieces that say no width that others do not: parameters of networks that are no adapter are called
so too."""

_PAIR = 2


class Widths:
    """What the pieces found so far tell about one module."""

    __slots__ = ("_factors", "dimensions", "either", "has_kernel", "inputs", "outputs", "rank")

    def __init__(self) -> None:
        self.inputs = 0
        """How many values it takes; 0 where no piece tells. Of a convolution written as a matrix,
        times the size of its kernel."""
        self.outputs = 0
        """How many it gives; 0 where no piece tells."""
        self.either = 0
        """One of the two, and nobody can tell which; 0 where there is none."""
        self.dimensions = 0
        """Dimensions of its weight: 2 linear, 4 convolution, 1 a norm; 0 where no piece tells."""
        self.rank = 0
        """Inner dimension of the adapter; 0 where its kind has none."""
        self.has_kernel = False
        """True where the adapter convolves, more than point by point."""
        self._factors: dict[str, tuple[int, ...]] | None = None

    @property
    def key(self) -> tuple[int, int, int, int]:
        """All that a module's own weight must agree with."""
        return self.inputs, self.outputs, self.either, self.dimensions

    @classmethod
    def adder(cls, kind: str) -> Callable[[Widths, tuple[int, ...]], None]:
        """Return what takes the shape of one piece of this kind."""
        taker = _TAKERS.get(kind)
        if taker is not None:
            return taker

        def add_factor(self: Widths, shape: tuple[int, ...]) -> None:
            if len(shape) >= _PAIR:
                self._factors = {**(self._factors or {}), kind: shape}

        return add_factor

    def add_first(self, shape: tuple[int, ...]) -> None:
        """Take the first matrix of a low-rank pair: [rank, taken, kernel…]."""
        if len(shape) >= _PAIR:
            self.rank, self.inputs, self.dimensions = shape[0], shape[1], len(shape)
            if len(shape) > _PAIR:
                self.has_kernel = prod(shape[_PAIR:]) > 1

    def add_second(self, shape: tuple[int, ...]) -> None:
        """Take the second matrix: [given, rank, …]."""
        if len(shape) >= _PAIR:
            self.outputs = shape[0]

    def add_vector(self, shape: tuple[int, ...]) -> None:
        """Take a bias or magnitudes, as long as the module is wide."""
        if len(shape) == 1:
            self.outputs = self.outputs or shape[0]

    def add_rotation(self, shape: tuple[int, ...]) -> None:
        """Take rotations of what the module gives, one a block."""
        # One rotation a block, and for butterflies one such list after another.
        if len(shape) > _PAIR:
            self.outputs = prod(shape[-3:-1])

    def add_scale(self, shape: tuple[int, ...]) -> None:
        """Take factors of what the module takes or gives."""
        self.either = prod(shape)

    def add_whole(self, shape: tuple[int, ...]) -> None:
        """Take a difference of the whole weight."""
        if shape:
            self.outputs, self.dimensions = shape[0], len(shape)
        if len(shape) > 1:
            self.inputs = shape[1]

    def settle(self) -> None:
        """Multiply the factors, once all pieces are there."""
        factors = self._factors
        if not factors:
            return
        if any(kind.startswith("lokr") for kind in factors):
            self._settle_kronecker(factors)
        elif any(kind.startswith("hada") for kind in factors):
            self._settle_hadamard(factors)
        elif "b1" in factors and "b2" in factors:
            self._settle_generalized(factors["b1"], factors["b2"])
        for kind in ("oft_R", "boft_R"):
            if kind in factors:
                self.inputs = _rotated(factors[kind])

    def _settle_hadamard(self, factors: dict[str, tuple[int, ...]]) -> None:
        for one in ("w1", "w2"):
            left, right = factors.get(f"hada_{one}_a"), factors.get(f"hada_{one}_b")
            is_tucker = f"hada_t{one[1]}" in factors
            if left is not None:
                self.outputs = left[1] if is_tucker else left[0]
            if right is not None:
                self.rank, self.inputs = right[0], right[1]

    def _settle_kronecker(self, factors: dict[str, tuple[int, ...]]) -> None:
        """A factor is whole (`lokr_w1`) or itself a product (`lokr_w1_a` times `lokr_w1_b`)."""
        sides = [_sides(one, factors) for one in ("1", "2")]
        outputs, inputs = (prod(one[at] for one in sides) for at in (0, 1))
        self.outputs, self.inputs = outputs, inputs
        whole = factors.get("lokr_w2", ())
        self.dimensions = len(whole) if len(whole) > _PAIR else 0
        halves = [factors[kind] for kind in ("lokr_w1_b", "lokr_w2_b") if kind in factors]
        self.rank = halves[-1][0] if halves else 0

    def _settle_generalized(self, first: tuple[int, ...], second: tuple[int, ...]) -> None:
        # Early releases wrote the two halves the other way round.
        outer, inner = (first, second) if first[1] == second[0] else (second, first)
        if outer[1] == inner[0]:
            self.outputs, self.rank, self.inputs = outer[0], inner[0], inner[1]
            self.dimensions = len(inner) if len(inner) > _PAIR else 0


_TAKERS: Mapping[str, Callable[[Widths, tuple[int, ...]], None]] = {
    **dict.fromkeys(("lora_down", "lora_A"), Widths.add_first),
    **dict.fromkeys(("lora_up", "lora_B"), Widths.add_second),
    **dict.fromkeys(("diff", "set_weight", "w_norm"), Widths.add_whole),
    **dict.fromkeys(("diff_b", "set_bias", "b_norm"), Widths.add_vector),
    # PEFT keeps DoRA's magnitudes as a vector, and may train the bias of the second matrix.
    **dict.fromkeys(("lora_B.bias", "lora_up.bias", "lora_magnitude_vector"), Widths.add_vector),
    "oft_blocks": Widths.add_rotation,
    "ia3_l": Widths.add_scale,
}


def _sides(number: str, factors: dict[str, tuple[int, ...]]) -> tuple[int, int]:
    whole = factors.get(f"lokr_w{number}")
    if whole is not None:
        return whole[0], whole[1]
    left, right = factors.get(f"lokr_w{number}_a"), factors.get(f"lokr_w{number}_b")
    is_tucker = f"lokr_t{number}" in factors
    outputs = 0 if left is None else left[1] if is_tucker else left[0]
    return outputs, 0 if right is None else right[1]


def _rotated(shape: tuple[int, ...]) -> int:
    """Return the width of a rotation: blocks as matrices, or the upper triangles of such."""
    if len(shape) > _PAIR:
        return prod(shape[-3:-1])
    blocks, triangle = shape
    side = (1 + int((1 + 8 * triangle) ** 0.5)) // 2
    return blocks * side if side * (side - 1) == 2 * triangle else 0


def network_of(kinds: Iterable[str], modules: Iterable[Widths]) -> str:
    """Name the kind of network that has such pieces, the most special first."""
    present = set(kinds)
    for marks, name in _NETWORKS:
        if present & marks:
            return name
    if "lora_mid" in present or any(one.has_kernel for one in modules):
        return "locon"
    return "lora" if any(kind.startswith("lora_") for kind in present) else "full"


_NETWORKS = (
    ({"dora_scale", "lora_magnitude_vector"}, "dora"),
    ({"lora_E"}, "adalora"),
    ({"hada_w1_a", "hada_w2_a", "hada_w1_b", "hada_w2_b"}, "loha"),
    ({"lokr_w1", "lokr_w2", "lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b"}, "lokr"),
    ({"oft_blocks", "oft_diag", "oft_R", "boft_R"}, "oft"),
    ({"b1", "b2"}, "glora"),
    ({"ia3_l"}, "ia3"),
)
