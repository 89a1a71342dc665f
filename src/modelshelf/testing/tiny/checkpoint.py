"""Makes main models as one file, in the layouts that their authors published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Shape
from modelshelf.testing.tiny.original import (
    Original,
    as_saved,
    ldm_autoencoder,
    ldm_unet,
    openclip,
    original_flux,
    original_sd3,
    pieces,
    said_where_narrow,
)
from modelshelf.testing.tiny.part import Part, autoencoder_part, denoiser_part, encoder_part
from modelshelf.testing.tiny.payload import Piece, header_bytes, payload_size, write_safetensors
from modelshelf.testing.tiny.scale import ENCODERS, Scale, scale

__all__ = ["checkpoint"]

ENCODER_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sd-1": ("cond_stage_model.transformer.",),
        "sd-2": ("cond_stage_model.model.",),
        "sdxl": ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."),
        "sdxl-refiner": ("conditioner.embedders.0.model.",),
        "sd-3": tuple(
            f"text_encoders.{name}.transformer." for name in ("clip_l", "clip_g", "t5xxl")
        ),
        "flux": tuple(f"text_encoders.{name}.transformer." for name in ("clip_l", "t5xxl")),
    }
)


def checkpoint(  # noqa: PLR0913 - each option is independent, and named at the call
    path: Path | str,
    *,
    base: str = "sd-1",
    seed: int = 0,
    share_seed: int | None = 0,
    size: int | None = None,
    dtype: str = "F16",
    inpaint: bool = False,
    ema: bool = False,
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a main model as one file.

    At the default size the weights are those of `pipeline` with the same seeds, tensor by tensor:
    renamed, fused and with halves exchanged as the original layout has them. The one relation that
    is no range of bytes, OpenCLIP's transposed `text_projection`, has numbers of its own.

    Args:
        path: The file.
        base: `sd-1`, `sd-2`, `sdxl`, `sdxl-refiner`, `sd-3` or `flux`; the last two with all text
            encoders.
        seed: Of the denoiser's weights.
        share_seed: Of all other weights; None means *seed*.
        size: Wanted bytes; None makes the smallest in which every width that joins parts is as
            published.
        dtype: Of the weights.
        inpaint: Take a masked image too.
        ema: Add the averaged weights of a UNet, as training checkpoints have them.
        full: The published size (many GB: use with *hollow*).
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    sizes = _sized(base, size, dtype) if size is not None else scale(base, dtype=dtype, full=full)
    tensors: dict[str, tuple[str, Shape]] = {}
    runs: dict[str, tuple[Piece, ...]] = {}
    for prefix, part, original in _bundles(base, sizes, dtype, inpaint=inpaint, ema=ema):
        part_seed = (
            seed if part.folder in {"unet", "transformer"} or share_seed is None else share_seed
        )
        named = {prefix + name: value for name, value in original.items()}
        tensors |= {name: (_dtype(name, dtype), shape) for name, (shape, _) in named.items()}
        runs |= pieces(named, f"{part_seed}:{part.weights}")
    return write_safetensors(
        path,
        tensors,
        seed=f"{seed}:{base}",
        pieces=runs,
        metadata=said_where_narrow(base, sizes.denoiser),
        hollow=hollow,
    )


def _sized(base: str, size: int, dtype: str) -> Scale:
    """The sizes that make the file nearest to *size*, which has more in it than the parts."""
    wish = size
    for _ in range(4):
        sizes = scale(base, size=max(wish, 1), dtype=dtype)
        wish += size - _file_size(base, sizes, dtype)
    return min(
        (scale(base, size=max(one, 1), dtype=dtype) for one in (wish, size)),
        key=lambda sizes: abs(size - _file_size(base, sizes, dtype)),
    )


def _file_size(base: str, sizes: Scale, dtype: str) -> int:
    tensors = {
        prefix + name: (_dtype(name, dtype), shape)
        for prefix, _, original in _bundles(base, sizes, dtype, inpaint=False, ema=False)
        for name, (shape, _) in original.items()
    }
    return len(
        header_bytes(tensors, metadata=said_where_narrow(base, sizes.denoiser))
    ) + payload_size(tensors)


def _dtype(name: str, dtype: str) -> str:
    return "I64" if name.endswith("position_ids") else dtype


def _bundles(
    base: str, sizes: Scale, dtype: str, *, inpaint: bool, ema: bool
) -> Iterator[tuple[str, Part, Original]]:
    denoiser = denoiser_part(base, sizes.denoiser, inpaint=inpaint)
    original = _original_denoiser(base, denoiser)
    yield "model.diffusion_model.", denoiser, original
    if ema:
        yield (
            "model_ema.",
            denoiser,
            {_ema_name(name): (shape, ()) for name, (shape, _) in original.items()},
        )
    autoencoder = autoencoder_part(base, sizes.autoencoder)
    yield (
        "vae." if base == "flux" else "first_stage_model.",
        autoencoder,
        ldm_autoencoder(autoencoder.layout or {}),
    )
    encoders = zip(ENCODER_PREFIXES[base], ENCODERS[base], sizes.encoders, strict=True)
    for prefix, name, encoder in encoders:
        part = encoder_part("text_encoder", name, encoder, dtype)
        yield prefix, part, _original_encoder(prefix, base, part)


def _original_denoiser(base: str, part: Part) -> Original:
    layout = part.layout or {}
    if base == "flux":
        return original_flux(layout)
    return original_sd3(layout) if base == "sd-3" else ldm_unet(layout, base)


def _original_encoder(prefix: str, base: str, part: Part) -> Original:
    layout = part.layout or {}
    if prefix.endswith(".model."):
        return openclip(layout, more_layers=int(base == "sd-2"))
    original = as_saved(layout)
    if base in {"sd-1", "sdxl"}:
        original["text_model.embeddings.position_ids"] = ((1, 77), ())
    return original


def _ema_name(name: str) -> str:
    return f"diffusion_model.{name}".replace(".", "")
