"""Makes whole diffusers pipelines."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.config import Config, json_bytes
from modelshelf.testing.tiny.part import (
    Part,
    autoencoder_part,
    denoiser_part,
    encoder_part,
    feature_extractor_part,
    safety_checker_part,
    scheduler_part,
    tokenizer_part,
    write_part,
)
from modelshelf.testing.tiny.scale import ENCODERS, Scale, scale

__all__ = ["pipeline", "png_bytes"]

CLASSES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "sd-1": ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "0.6.0"),
        "sd-2": ("StableDiffusionPipeline", "StableDiffusionInpaintPipeline", "0.8.0"),
        "sdxl": ("StableDiffusionXLPipeline", "StableDiffusionXLInpaintPipeline", "0.19.0.dev0"),
        "sdxl-refiner": (
            "StableDiffusionXLImg2ImgPipeline",
            "StableDiffusionXLInpaintPipeline",
            "0.19.0.dev0",
        ),
        "sd-3": ("StableDiffusion3Pipeline", "StableDiffusion3InpaintPipeline", "0.29.0.dev0"),
        "flux": ("FluxPipeline", "FluxFillPipeline", "0.30.0.dev0"),
    }
)
"""Pipeline class, its inpainting sister, and the diffusers version that wrote the published
folder."""


def pipeline(  # noqa: PLR0913 - each option is independent, and named at the call
    folder: Path | str,
    *,
    base: str = "sd-1",
    seed: int = 0,
    share_seed: int | None = 0,
    size: int | None = None,
    dtype: str = "F16",
    variant: str | None = None,
    sharded: bool = False,
    prediction_type: str | None = None,
    inpaint: bool = False,
    with_safety_checker: bool = True,
    extras: bool = True,
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a diffusers pipeline folder.

    Two pipelines with equal *share_seed*, *size* and *dtype* have the same text encoder, tokenizer,
    VAE, safety checker and feature extractor, byte for byte, wherever their bases share them (sd-1
    and sd-2 share a VAE, sd-1, sdxl and flux the CLIP-L encoder at the default size); with
    different *seed* their denoisers differ in every weight.

    Args:
        folder: Where to make it.
        base: `sd-1`, `sd-2`, `sdxl`, `sdxl-refiner`, `sd-3` or `flux`.
        seed: Of the denoiser's weights.
        share_seed: Of all other weights; None means *seed*.
        size: Wanted bytes in all. None makes the smallest in which every width that joins parts is
            as published: 6 MB for sd-1, 10 MB for sd-2 and flux, 25 to 30 MB with the large encoder
            of sdxl and sd-3. A wish that is too small gives the narrowest there is.
        dtype: Of the weights: `F16`, `BF16`, `F32`.
        variant: None; `fp16` to name the weight files `….fp16.safetensors`; `both` for the plain
            files in F32 and the fp16 ones beside them.
        sharded: Spread the denoiser (and T5) over two files with an index.
        prediction_type: In the scheduler's config; None means as published.
        inpaint: Take a masked image too: 9 channels into a UNet, 384 into flux.
        with_safety_checker: sd-1 only; without it `model_index.json` says null.
        extras: Add README, LICENSE, `.gitattributes`, an image two folders down, and an empty
            folder.
        full: Published sizes (many GB: use with *hollow*).
        hollow: True headers and configs, the weights holes that take no disk.

    Returns:
        The folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     made = pipeline(f"{root}/a", base="sd-2", extras=False)
        ...     sorted(path.name for path in made.iterdir())  # doctest: +NORMALIZE_WHITESPACE
        ['feature_extractor', 'model_index.json', 'scheduler', 'text_encoder', 'tokenizer', 'unet',
        'vae']
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    sizes = scale(base, size=size, dtype="F32" if variant == "both" else dtype, full=full)
    denoiser = denoiser_part(base, sizes.denoiser, inpaint=inpaint)
    shared = _shared_parts(base, sizes, dtype, with_safety_checker=with_safety_checker)
    scheduler = scheduler_part(base, prediction_type=prediction_type)
    seeds = [(denoiser, seed), (scheduler, seed)]
    seeds += [(part, seed if share_seed is None else share_seed) for part in shared]
    for part, part_seed in seeds:
        shards = 2 if sharded and (part is denoiser or part.class_name == "T5EncoderModel") else 1
        for name, kind in _variants(variant, dtype):
            write_part(
                root / part.folder,
                part,
                seed=part_seed,
                dtype=kind,
                variant=name,
                shards=shards,
                hollow=hollow,
            )
    index = _model_index(base, [part for part, _ in seeds], inpaint=inpaint)
    (root / "model_index.json").write_bytes(json_bytes(index))
    if extras:
        _write_extras(root, base)
    return root


def _variants(variant: str | None, dtype: str) -> list[tuple[str | None, str]]:
    return [(None, "F32"), ("fp16", "F16")] if variant == "both" else [(variant, dtype)]


def _shared_parts(base: str, sizes: Scale, dtype: str, *, with_safety_checker: bool) -> list[Part]:
    parts = [autoencoder_part(base, sizes.autoencoder)]
    for place, (name, encoder) in enumerate(zip(ENCODERS[base], sizes.encoders, strict=True)):
        # The refiner has only the second of sdxl's two encoders, and keeps its folder's name.
        number = place + (2 if base == "sdxl-refiner" else 1)
        suffix = "" if number == 1 else f"_{number}"
        parts.append(encoder_part(f"text_encoder{suffix}", name, encoder, dtype))
        parts.append(tokenizer_part(f"tokenizer{suffix}", name))
    if base in {"sd-1", "sd-2"}:
        parts.append(feature_extractor_part())
    if base == "sd-1" and with_safety_checker:
        parts.append(safety_checker_part(sizes.vision, dtype))
    return parts


def _model_index(base: str, parts: list[Part], *, inpaint: bool) -> Config:
    plain, inpainting, version = CLASSES[base]
    index: Config = {"_class_name": inpainting if inpaint else plain, "_diffusers_version": version}
    nothing = [None, None]
    absent: dict[str, Config] = {
        "sd-1": {"safety_checker": nothing},
        "sd-2": {"requires_safety_checker": False, "safety_checker": nothing},
        "sdxl": {"force_zeros_for_empty_prompt": True},
        "sdxl-refiner": {
            "force_zeros_for_empty_prompt": False,
            "requires_aesthetics_score": True,
            "text_encoder": nothing,
            "tokenizer": nothing,
        },
    }
    return (
        index
        | absent.get(base, {})
        | {part.folder: [part.library, part.class_name] for part in parts}
    )


def _write_extras(root: Path, base: str) -> None:
    readme = f"---\nlicense: other\n---\n\n# A small {base} pipeline\n\nRandom weights.\n"
    attributes = "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
    (root / "README.md").write_text(readme, encoding="utf-8", newline="\n")
    (root / "LICENSE").write_text(
        "Made by modelshelf. Do with it what you like.\n", encoding="utf-8", newline="\n"
    )
    (root / ".gitattributes").write_text(attributes, encoding="utf-8", newline="\n")
    (root / "images" / "examples").mkdir(parents=True, exist_ok=True)
    (root / "images" / "examples" / "a.png").write_bytes(png_bytes())
    (root / "assets").mkdir(exist_ok=True)


def png_bytes(*, side: int = 8) -> bytes:
    r"""A grey gradient as a PNG.

    Example:
        >>> png_bytes()[:8]
        b'\x89PNG\r\n\x1a\n'
    """
    rows = b"".join(
        b"\0" + bytes((row * 16 + column * 8) % 256 for column in range(side))
        for row in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
