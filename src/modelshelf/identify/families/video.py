"""What the families of video models share: ways to ask for a shape that every container keeps.

Quantisation packs matrices and leaves norms, biases, tables and convolutions alone, so these decide.
"""

from __future__ import annotations

from functools import reduce

from modelshelf.identify.condition import Both, Condition, Either
from modelshelf.identify.tensor_condition import Absent, Tensor

__all__ = ["NO_CONTROL", "every", "patches", "vectors"]

NO_CONTROL: tuple[Condition, ...] = (Absent("controlnet*"), Absent("control_blocks.*"))
"""A ControlNet holds blocks of its base and is no main model."""


def every(*conditions: Condition) -> Condition:
    """All of *conditions*, as the one that a trait has."""
    return reduce(Both, conditions)


def vectors(name: str, *widths: int, below: int | None = None) -> Tensor:
    """Tensors of one dimension, each as long as one of *widths*: a bias or the scale of a norm."""
    return Tensor(name, (widths,), rank=1, below=below)


def patches(name: str, widths: tuple[int, ...], *channels: int) -> Condition:
    """A convolution that cuts a video of so many channels into patches.

    GGUF has four dimensions at most, so some writers fold the first two of the five into one.

    Args:
        name: Its weight.
        widths: What may come out.
        channels: What may go in.
    """
    folded = tuple(width * channel for width in widths for channel in channels)
    return Either((Tensor(name, (widths, channels), rank=5), Tensor(name, (folded,), rank=4)))
