"""What a layout is, and the few shapes that every network is made of."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

__all__ = [
    "Layout",
    "Shape",
    "attention",
    "convolution",
    "linear",
    "norm",
    "parameters",
    "prefixed",
]

Shape = tuple[int, ...]
"""Sizes of a tensor, in torch order (out, in, ...)."""

Layout = Mapping[str, Shape]
"""The tensors of a model: names with shapes."""


def linear(name: str, out: int, into: int, *, bias: bool = True) -> dict[str, Shape]:
    """A fully connected layer."""
    layer: dict[str, Shape] = {f"{name}.weight": (out, into)}
    return layer | {f"{name}.bias": (out,)} if bias else layer


def convolution(name: str, out: int, into: int, kernel: int = 3) -> dict[str, Shape]:
    """A square 2-D convolution with bias."""
    return {f"{name}.weight": (out, into, kernel, kernel), f"{name}.bias": (out,)}


def norm(name: str, width: int) -> dict[str, Shape]:
    """A group or layer norm with scale and shift."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def attention(name: str, width: int, context: int) -> dict[str, Shape]:
    """Attention in the names of diffusers, without biases but for the way out."""
    return {
        **linear(f"{name}.to_q", width, width, bias=False),
        **linear(f"{name}.to_k", width, context, bias=False),
        **linear(f"{name}.to_v", width, context, bias=False),
        **linear(f"{name}.to_out.0", width, width),
    }


def prefixed(prefix: str, layout: Layout) -> dict[str, Shape]:
    """The same layout with *prefix* before each name."""
    return {prefix + name: shape for name, shape in layout.items()}


def parameters(layout: Layout) -> int:
    """How many numbers the tensors of *layout* hold together."""
    return sum(prod(shape) for shape in layout.values())
