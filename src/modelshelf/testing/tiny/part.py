"""The parts of a pipeline: one value for each component folder, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from modelshelf.testing.tiny.autoencoder import autoencoder_layout
from modelshelf.testing.tiny.config import (
    ORIGINS,
    Config,
    autoencoder_config,
    json_bytes,
    scheduler_config,
    unet_config,
)
from modelshelf.testing.tiny.encoder_config import (
    clip_config,
    preprocessor_config,
    safety_checker_config,
    t5_config,
)
from modelshelf.testing.tiny.layout import Layout
from modelshelf.testing.tiny.payload import DTYPE_BYTES, Tensors, write_safetensors
from modelshelf.testing.tiny.scale import (
    Encoder,
    denoiser_layout,
    encoder_layout,
    safety_checker_layout,
)
from modelshelf.testing.tiny.text import T5, Vision
from modelshelf.testing.tiny.tokenizer import clip_tokenizer_files, t5_tokenizer_files
from modelshelf.testing.tiny.transformer import WIDTHS, head_width

__all__ = [
    "AUTOENCODER_NAMES",
    "Part",
    "autoencoder_part",
    "denoiser_part",
    "encoder_part",
    "feature_extractor_part",
    "safety_checker_part",
    "scheduler_part",
    "tokenizer_part",
    "write_part",
]

METADATA = {"format": "pt"}
"""What diffusers and transformers write beside the weights."""

AUTOENCODER_NAMES = {"sd-1": "vae-sd", "sd-2": "vae-sd", "sdxl": "vae-xl", "sdxl-refiner": "vae-xl"}
"""Bases that share the weights of their VAE."""


@dataclass(frozen=True, slots=True)
class Part:
    """One component folder."""

    folder: str
    """Its name in the pipeline."""
    library: str
    """Who loads it: `diffusers`, `transformers`."""
    class_name: str
    """What loads it."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Its small files by name."""
    layout: Layout | None = None
    """Its tensors; None where it has no weights."""
    weights: str = ""
    """Name of the model whose weights these are: equal names and seeds give equal weights."""

    @property
    def stem(self) -> str:
        """What its weight files are called before the variant and the ending."""
        return (
            "model"
            if self.library in {"transformers", "stable_diffusion"}
            else "diffusion_pytorch_model"
        )


def write_part(
    folder: Path,
    part: Part,
    *,
    seed: int,
    dtype: str,
    variant: str | None = None,
    shards: int = 1,
    hollow: bool = False,
) -> None:
    """Write the folder of one part.

    Args:
        folder: The part's own folder.
        part: What to write.
        seed: Of the weights.
        dtype: Of the weights.
        variant: Goes between stem and ending of the weight files; None leaves it out.
        shards: Files to spread the weights over; with more than one an index says which holds what.
        hollow: Leave the weights holes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in part.files.items():
        (folder / name).write_bytes(content)
    if part.layout is None:
        return
    tensors = {name: (dtype, shape) for name, shape in part.layout.items()}
    names = _shard_names(part.stem, variant, shards)
    pieces = _spread(tensors, shards)
    for name, piece in zip(names, pieces, strict=True):
        write_safetensors(
            folder / name, piece, seed=f"{seed}:{part.weights}", metadata=METADATA, hollow=hollow
        )
    if shards > 1:
        suffix = "" if variant is None else f".{variant}"
        index = folder / f"{part.stem}.safetensors.index{suffix}.json"
        index.write_bytes(_shard_index(dict(zip(names, pieces, strict=True))))


def _shard_names(stem: str, variant: str | None, shards: int) -> list[str]:
    stem += "" if variant is None else f".{variant}"
    if shards == 1:
        return [f"{stem}.safetensors"]
    return [f"{stem}-{number:05}-of-{shards:05}.safetensors" for number in range(1, shards + 1)]


def _spread(tensors: Tensors, shards: int) -> list[Tensors]:
    """Cut the tensors, in their order, into shards of about equal bytes, none of them empty."""
    goal = sum(prod(shape) * DTYPE_BYTES[dtype] for dtype, shape in tensors.values()) / shards
    pieces: list[dict[str, tuple[str, tuple[int, ...]]]] = [{} for _ in range(shards)]
    done = 0
    for name, (dtype, shape) in tensors.items():
        pieces[min(shards - 1, int(done / goal))][name] = (dtype, shape)
        done += prod(shape) * DTYPE_BYTES[dtype]
    return [*pieces]


def _shard_index(pieces: Mapping[str, Tensors]) -> bytes:
    total = sum(
        prod(shape) * DTYPE_BYTES[dtype]
        for piece in pieces.values()
        for dtype, shape in piece.values()
    )
    where = {name: file for file, piece in pieces.items() for name in piece}
    return json_bytes({"metadata": {"total_size": total}, "weight_map": where})


def denoiser_part(base: str, width: int, *, inpaint: bool = False) -> Part:
    """The UNet or transformer."""
    if base not in {"sd-3", "flux"}:
        channels = 9 if inpaint else 4
        layout = denoiser_layout(base, width, in_channels=channels)
        files = {"config.json": json_bytes(unet_config(base, width, in_channels=channels))}
        return Part("unet", "diffusers", "UNet2DConditionModel", files, layout, f"unet-{base}")
    kind = "FluxTransformer2DModel" if base == "flux" else "SD3Transformer2DModel"
    channels = 384 if inpaint else 64
    layout = denoiser_layout(base, width, in_channels=channels)
    config = _flux_config(width, channels) if base == "flux" else _sd3_config(width)
    if width != WIDTHS[base]:
        config["_name_or_path"] = ORIGINS[base]
    return Part("transformer", "diffusers", kind, {"config.json": json_bytes(config)}, layout, base)


def _flux_config(width: int, in_channels: int) -> Config:
    head = head_width("flux", width)
    config: Config = {
        "_class_name": "FluxTransformer2DModel",
        "_diffusers_version": "0.30.0.dev0",
        "attention_head_dim": head,
        "guidance_embeds": True,
        "in_channels": in_channels,
        "joint_attention_dim": 4096,
        "num_attention_heads": width // head,
        "num_layers": 19,
        "num_single_layers": 38,
        "patch_size": 1,
        "pooled_projection_dim": 768,
    }
    # Rotary positions divide a head among three axes; the default, [16, 56, 56], is for 128.
    config |= {} if head == 128 else {"axes_dims_rope": [2, 2, 4]}  # noqa: PLR2004
    return config | ({} if in_channels == 64 else {"out_channels": 64})  # noqa: PLR2004


def _sd3_config(width: int) -> Config:
    head = head_width("sd-3", width)
    return {
        "_class_name": "SD3Transformer2DModel",
        "_diffusers_version": "0.29.0.dev0",
        "attention_head_dim": head,
        "caption_projection_dim": width,
        "in_channels": 16,
        "joint_attention_dim": 4096,
        "num_attention_heads": width // head,
        "num_layers": 24,
        "out_channels": 16,
        "patch_size": 2,
        "pooled_projection_dim": 2048,
        "pos_embed_max_size": 192,
        "sample_size": 128,
    }


def autoencoder_part(base: str, width: int, *, scaling: float | None = None) -> Part:
    """The VAE."""
    files = {"config.json": json_bytes(autoencoder_config(base, width, scaling=scaling))}
    weights = AUTOENCODER_NAMES.get(base, f"vae-{base}")
    return Part(
        "vae", "diffusers", "AutoencoderKL", files, autoencoder_layout(base, width=width), weights
    )


def encoder_part(folder: str, name: str, encoder: Encoder, dtype: str) -> Part:
    """A text encoder, by its name in `ENCODERS`."""
    if isinstance(encoder, T5):
        kind, config = "T5EncoderModel", t5_config(encoder, dtype)
    else:
        kind = "CLIPTextModel" if encoder.projection is None else "CLIPTextModelWithProjection"
        config = clip_config(encoder, dtype)
    files = {"config.json": json_bytes(config)}
    # CLIP-L has the same weights with and without its projection.
    return Part(
        folder,
        "transformers",
        kind,
        files,
        encoder_layout(encoder),
        f"text-{name.partition('-')[0]}",
    )


def tokenizer_part(folder: str, name: str) -> Part:
    """The tokenizer of the text encoder *name*."""
    if name == "t5":
        return Part(folder, "transformers", "T5TokenizerFast", t5_tokenizer_files())
    pad = "<|endoftext|>" if name.startswith("l") else "!"
    return Part(folder, "transformers", "CLIPTokenizer", clip_tokenizer_files(pad=pad))


def scheduler_part(base: str, *, prediction_type: str | None = None) -> Part:
    """The scheduler."""
    config = scheduler_config(base, prediction_type=prediction_type)
    return Part(
        "scheduler",
        "diffusers",
        str(config["_class_name"]),
        {"scheduler_config.json": json_bytes(config)},
    )


def safety_checker_part(vision: Vision, dtype: str) -> Part:
    """The safety checker of sd-1."""
    files = {"config.json": json_bytes(safety_checker_config(vision, dtype))}
    layout = safety_checker_layout(vision)
    return Part(
        "safety_checker",
        "stable_diffusion",
        "StableDiffusionSafetyChecker",
        files,
        layout,
        "safety",
    )


def feature_extractor_part() -> Part:
    """The feature extractor of sd-1 and sd-2."""
    files = {"preprocessor_config.json": json_bytes(preprocessor_config())}
    return Part("feature_extractor", "transformers", "CLIPImageProcessor", files)
