"""A layer with a bias, as every part has them."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes


def conv(name: str, shape: tuple[int, ...]) -> Shapes:
    """Return the weight of *shape* and its bias."""
    return {f"{name}.weight": shape, f"{name}.bias": (shape[0],)}
