"""How wide and how deep each part of a model is made, so that all have a wanted size together.

The rule: what parts tell each other stays as published (the widths that join them, latent and image
channels, labels, the number of blocks of a denoiser); what is inside shrinks. So a narrow model fits
whatever the published one does but adapters, says whose stand-in it is where nothing else can, and each
`config.json` agrees with its tensors.

* Denoisers and VAEs have all published tensors at any size; the width inside follows the size.
* Text encoders keep their published hidden width while the size allows it (from about 7 MB on for
  sd-1) and have fewer layers and words. Below that their hidden width shrinks too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from modelshelf.testing.tiny.autoencoder import PUBLISHED_WIDTH, autoencoder_layout
from modelshelf.testing.tiny.layout import Layout
from modelshelf.testing.tiny.payload import header_bytes, payload_size
from modelshelf.testing.tiny.text import (
    CLIPS,
    T5,
    T5_XXL,
    VISIONS,
    Clip,
    Vision,
    clip_layout,
    t5_layout,
    vision_layout,
)
from modelshelf.testing.tiny.tokenizer import VOCABULARY
from modelshelf.testing.tiny.transformer import FLUX_WIDTH, SD3_WIDTH, flux_layout, sd3_layout
from modelshelf.testing.tiny.unet import UNETS, unet_layout

__all__ = [
    "BASES",
    "ENCODERS",
    "Encoder",
    "Scale",
    "denoiser_layout",
    "encoder_layout",
    "encoder_within",
    "file_size",
    "largest",
    "safety_checker_layout",
    "scale",
]

Encoder = Clip | T5
"""The sizes of one text encoder."""

ENCODERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sd-1": ("l",),
        "sd-2": ("h",),
        "sdxl": ("l", "g"),
        "sdxl-refiner": ("g",),
        "sd-3": ("l-projected", "g", "t5"),
        "flux": ("l", "t5"),
    }
)
"""The text encoders of each base, in the order of their folders."""

BASES = tuple(ENCODERS)
"""The bases that can be made."""

PUBLISHED: Mapping[str, Encoder] = MappingProxyType({**CLIPS, "t5": T5_XXL})
DENOISER_WIDTHS: Mapping[str, int] = MappingProxyType(
    {
        **{base: family.width for base, family in UNETS.items()},
        "sd-3": SD3_WIDTH,
        "flux": FLUX_WIDTH,
    }
)
SMALL_WIDTHS: Mapping[str, int] = MappingProxyType(
    {"sd-1": 4, "sd-2": 4, "sdxl": 2, "sdxl-refiner": 2, "sd-3": 16, "flux": 16}
)
SMALL_AUTOENCODER = 4
SMALL_VISION = replace(VISIONS["l"], hidden=32, layers=2, feed=64, heads=4)
SMALL_FEED = 16

AUTOENCODER_SHARE, SAFETY_SHARE, ENCODERS_SHARE, ENCODERS_MOST = 0.06, 0.03, 0.25, 0.75
"""Parts of a wanted size; the denoiser takes what is left. The encoders take more while they keep
their width."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of all parts of one model."""

    denoiser: int
    """Width inside the UNet (of its first level) or transformer."""
    autoencoder: int
    """Width of the VAE's first level."""
    encoders: tuple[Encoder, ...]
    """One for each of the base's `ENCODERS`."""
    vision: Vision
    """The image encoder inside the safety checker."""


def scale(base: str, *, size: int | None = None, dtype: str = "F16", full: bool = False) -> Scale:
    """Choose the sizes of all parts.

    Args:
        base: One of `BASES`.
        size: Wanted bytes of all weights together; None means the smallest at which all widths that
            join parts are as published.
        dtype: What the weights will be stored as.
        full: The published sizes instead; *size* says nothing then.

    Example:
        >>> scale("sd-1").encoders[0].hidden, scale("sd-1", full=True).denoiser
        (768, 320)
    """
    if full:
        published = tuple(PUBLISHED[name] for name in ENCODERS[base])
        return Scale(DENOISER_WIDTHS[base], PUBLISHED_WIDTH, published, VISIONS["l"])
    if size is None:
        smallest = tuple(_smallest(PUBLISHED[name]) for name in ENCODERS[base])
        return Scale(SMALL_WIDTHS[base], SMALL_AUTOENCODER, smallest, SMALL_VISION)
    return _scale_to(base, size, dtype)


def _scale_to(base: str, size: int, dtype: str) -> Scale:
    width = largest(
        lambda width: _size_of_autoencoder(base, width, dtype), int(size * AUTOENCODER_SHARE)
    )
    vision = _vision(int(size * SAFETY_SHARE), dtype)
    budgets = _encoder_budgets(base, size, dtype)
    encoders = [_encoder(PUBLISHED[name], budgets[name], dtype) for name in ENCODERS[base]]
    left = size - _size_of_autoencoder(base, width, dtype)
    left -= file_size(safety_checker_layout(vision), dtype) if base == "sd-1" else 0
    left -= sum(file_size(encoder_layout(encoder), dtype) for encoder in encoders)
    step = 8 if base in {"sd-3", "flux"} else 1
    denoiser = largest(
        lambda width: file_size(denoiser_layout(base, width), dtype), left, step=step
    )
    left -= file_size(denoiser_layout(base, denoiser), dtype)
    first = file_size(encoder_layout(encoders[0]), dtype)
    encoders[0] = _encoder(PUBLISHED[ENCODERS[base][0]], first + left, dtype)
    return Scale(denoiser, width, tuple(encoders), vision)


def _encoder_budgets(base: str, size: int, dtype: str) -> dict[str, int]:
    """Divide the encoders' share by need; raise it where that lets them keep their width."""
    needs = {
        name: file_size(encoder_layout(_smallest(PUBLISHED[name])), dtype)
        for name in ENCODERS[base]
    }
    needed = sum(needs.values())
    share = int(size * ENCODERS_SHARE)
    if share < needed <= size * ENCODERS_MOST:
        share = needed
    return {name: share * need // needed for name, need in needs.items()}


def encoder_within(name: str, size: int | None, dtype: str) -> Encoder:
    """The text encoder *name* at *size* bytes; None: its smallest with the published width."""
    return _smallest(PUBLISHED[name]) if size is None else _encoder(PUBLISHED[name], size, dtype)


def _encoder(published: Encoder, budget: int, dtype: str) -> Encoder:
    """The encoder nearest to *budget*: first its hidden width, then layers, then words."""
    small = _smallest(published)
    if file_size(encoder_layout(small), dtype) > budget:
        hidden = largest(
            lambda width: file_size(encoder_layout(_narrow(small, width)), dtype), budget, step=8
        )
        return _with_words(_narrow(small, hidden), budget, dtype)
    few = replace(published, vocabulary=small.vocabulary)
    for layers in range(published.layers, 0, -1):
        deep = replace(few, layers=layers)
        if file_size(encoder_layout(deep), dtype) <= budget:
            return _with_words(deep, budget, dtype)
    return _with_words(small, budget, dtype)


def _with_words(encoder: Encoder, budget: int, dtype: str) -> Encoder:
    row = payload_size({"": (dtype, (encoder.hidden,))})
    spare = max(0, budget - file_size(encoder_layout(encoder), dtype)) // row
    most = PUBLISHED["t5" if isinstance(encoder, T5) else "l"].vocabulary
    return replace(encoder, vocabulary=min(encoder.vocabulary + spare, most))


def _smallest(published: Encoder) -> Encoder:
    if isinstance(published, T5):
        return published.shrunk(layers=1, vocabulary=VOCABULARY)
    return replace(published, layers=1, feed=SMALL_FEED, vocabulary=VOCABULARY)


def _narrow(encoder: Encoder, hidden: int) -> Encoder:
    if isinstance(encoder, T5):
        return replace(encoder, hidden=hidden)
    projection = None if encoder.projection is None else hidden
    return replace(encoder, hidden=hidden, heads=hidden // 8, projection=projection)


def _vision(budget: int, dtype: str) -> Vision:
    def of(hidden: int) -> Vision:
        return replace(SMALL_VISION, hidden=hidden, feed=2 * hidden, heads=hidden // 8)

    return of(
        largest(lambda hidden: file_size(safety_checker_layout(of(hidden)), dtype), budget, step=8)
    )


def largest(cost: Callable[[int], int], budget: int, *, step: int = 1) -> int:
    """The largest multiple of *step* whose *cost* is within *budget*, and at least *step*.

    Example:
        >>> largest(lambda width: width * width, 50)
        7
    """
    low, high = 1, 2
    while cost(high * step) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle * step) <= budget else (low, middle)
    return low * step


def file_size(layout: Layout, dtype: str) -> int:
    """Bytes of the safetensors file that holds *layout*."""
    tensors = {name: (dtype, shape) for name, shape in layout.items()}
    return len(header_bytes(tensors, metadata={"format": "pt"})) + payload_size(tensors)


def denoiser_layout(base: str, width: int, *, in_channels: int | None = None) -> Layout:
    """The UNet or transformer of a base; *in_channels* as published unless given."""
    if base == "flux":
        return flux_layout(width=width, in_channels=in_channels or 64)
    if base == "sd-3":
        return sd3_layout(width=width)
    return unet_layout(base, width=width, in_channels=in_channels or 4)


def encoder_layout(encoder: Encoder) -> Layout:
    """The tensors of a text encoder of either kind."""
    return t5_layout(encoder) if isinstance(encoder, T5) else clip_layout(encoder)


def safety_checker_layout(vision: Vision) -> Layout:
    """Name and size every tensor of a safety checker as transformers saves it."""
    inner = vision_layout(vision)
    layout = {
        name if name.startswith("visual_") else f"vision_model.{name}": shape
        for name, shape in inner.items()
    }
    for name, count in (("concept_embeds", 17), ("special_care_embeds", 3)):
        layout |= {name: (count, vision.projection), f"{name}_weights": (count,)}
    return layout


def _size_of_autoencoder(base: str, width: int, dtype: str) -> int:
    return file_size(autoencoder_layout(base, width=width), dtype)
