"""Makes what works beside a main model: ControlNets, embeddings, IP-Adapters, single encoders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from modelshelf.testing.tiny.config import controlnet_config, json_bytes
from modelshelf.testing.tiny.encoder_config import vision_config
from modelshelf.testing.tiny.layout import Layout, Shape, linear, norm
from modelshelf.testing.tiny.original import Original, as_saved, said_where_narrow, write_original
from modelshelf.testing.tiny.part import Part, encoder_part, write_part
from modelshelf.testing.tiny.payload import write_safetensors
from modelshelf.testing.tiny.scale import encoder_within, file_size, largest
from modelshelf.testing.tiny.text import T5_XXL, VISIONS, Vision, vision_layout
from modelshelf.testing.tiny.unet import UNETS, controlnet_layout, ldm_controlnet_name, unet_layout

__all__ = ["clip_vision", "controlnet", "ip_adapter", "t5", "textual_inversion"]

SMALL_WIDTH = 4
IMAGE_WIDTHS = {"sd-1": ("h", 1024), "sdxl": ("g", 1280)}
"""Which image encoder an IP-Adapter reads, and how wide its answer is."""


def controlnet(
    path: Path | str,
    *,
    base: str = "sd-1",
    folder: bool = False,
    seed: int = 0,
    size: int | None = None,
    dtype: str = "F16",
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a ControlNet: a diffusers folder, or one file.

    A file has the original names for sd-1 and sd-2, and those of diffusers for sdxl, as is usual.

    Args:
        path: The file or folder.
        base: `sd-1`, `sd-2` or `sdxl`.
        folder: Make a folder with `config.json`.
        seed: Of the weights.
        size: Wanted bytes; None makes it 1 to 2 MB.
        dtype: Of the weights.
        full: The published size.
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    width = UNETS[base].width if full else SMALL_WIDTH
    if size is not None:
        width = largest(lambda width: file_size(controlnet_layout(base, width=width), dtype), size)
    layout = controlnet_layout(base, width=width)
    files = {"config.json": json_bytes(controlnet_config(base, width))}
    part = Part("controlnet", "diffusers", "ControlNetModel", files, layout, f"controlnet-{base}")
    if folder:
        write_part(Path(path), part, seed=seed, dtype=dtype, hollow=hollow)
        return Path(path)
    original = _original_controlnet(layout, base)
    return write_original(
        path,
        original,
        seed=seed,
        weights=part.weights,
        dtype=dtype,
        hollow=hollow,
        metadata=said_where_narrow(base, width, "controlnet"),
    )


def _original_controlnet(layout: Layout, base: str) -> Original:
    saved = as_saved(layout)
    if base == "sdxl":
        return saved
    return {
        f"control_model.{ldm_controlnet_name(name, base)}": value for name, value in saved.items()
    }


def textual_inversion(
    path: Path | str,
    *,
    base: str = "sd-1",
    folder: bool = False,
    token: str = "<tiny>",  # noqa: S107 - a word, not a secret
    vectors: int = 2,
    seed: int = 0,
    dtype: str = "F32",
) -> Path:
    """Make a textual inversion.

    Args:
        path: The file or folder.
        base: `sd-1`, `sd-2`, `sdxl`, `sd-3` or `flux`.
        folder: Make a folder with `learned_embeds.safetensors`, which names *token*; a file has
            `emb_params`, or one tensor for each text encoder where the base has several.
        token: The word that stands for it.
        vectors: How many tokens it takes.
        seed: Of the weights.
        dtype: Of the weights.

    Returns:
        The path.
    """
    widths = {
        "sd-1": {"emb_params": 768},
        "sd-2": {"emb_params": 1024},
        "sdxl": {"clip_g": 1280, "clip_l": 768},
        "sd-3": {"clip_g": 1280, "clip_l": 768, "t5xxl": 4096},
        "flux": {"clip_l": 768, "t5": 4096},
    }[base]
    names = {token: widths["emb_params"]} if folder and len(widths) == 1 else widths
    tensors = {name: (dtype, (vectors, width)) for name, width in names.items()}
    target = Path(path) / "learned_embeds.safetensors" if folder else Path(path)
    write_safetensors(target, tensors, seed=f"{seed}:embedding")
    return Path(path)


def ip_adapter(
    path: Path | str,
    *,
    base: str = "sd-1",
    folder: bool = False,
    seed: int = 0,
    size: int | None = None,
    dtype: str = "F16",
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make an IP-Adapter: a file, or a folder that also names its image encoder.

    Args:
        path: The file or folder.
        base: `sd-1` or `sdxl`.
        folder: Make a folder with `ip_adapter.safetensors` and `image_encoder.txt`.
        seed: Of the weights.
        size: Wanted bytes; None makes it 2 MB for sd-1, 13 MB for sdxl.
        dtype: Of the weights.
        full: The published size.
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    width = UNETS[base].width if full else SMALL_WIDTH
    tokens = 4 if full else 1
    if size is not None:
        width = largest(lambda width: file_size(_ip_layout(base, width, tokens), dtype), size)
    tensors = {name: (dtype, shape) for name, shape in _ip_layout(base, width, tokens).items()}
    target = Path(path) / "ip_adapter.safetensors" if folder else Path(path)
    write_safetensors(
        target,
        tensors,
        seed=f"{seed}:ip-adapter",
        metadata={"format": "pt", **said_where_narrow(base, width)},
        hollow=hollow,
    )
    if folder:
        encoder = (
            "ip_adapter_sd_image_encoder" if base == "sd-1" else "ip_adapter_sdxl_image_encoder"
        )
        (Path(path) / "image_encoder.txt").write_text(
            f"InvokeAI/{encoder}\n", encoding="utf-8", newline="\n"
        )
    return Path(path)


def _ip_layout(base: str, width: int, tokens: int) -> dict[str, Shape]:
    """Keys and values for each cross-attention, numbered 1, 3, 5 on the ways down, up, and between."""
    context = UNETS[base].context
    layout = linear("image_proj.proj", tokens * context, IMAGE_WIDTHS[base][1]) | norm(
        "image_proj.norm", context
    )
    reading = [
        (name.startswith("mid_"), shape)
        for name, shape in unet_layout(base, width=width).items()
        if name.endswith("attn2.to_k.weight")
    ]
    for place, (_, shape) in enumerate(sorted(reading, key=lambda one: one[0])):
        for letter in "kv":
            layout[f"ip_adapter.{2 * place + 1}.to_{letter}_ip.weight"] = shape
    return layout


def clip_vision(
    folder: Path | str,
    *,
    kind: str = "h",
    seed: int = 0,
    size: int | None = None,
    dtype: str = "F16",
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a folder with a CLIP image encoder.

    Args:
        folder: Where to make it.
        kind: `l`, `h` or `g`: ViT-L/14, ViT-H/14 or ViT-bigG/14.
        seed: Of the weights.
        size: Wanted bytes; layers and then the hidden width give way. None keeps the width: 19 MB
            for `h`.
        dtype: Of the weights.
        full: The published size.
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The folder.
    """
    published = VISIONS[kind]
    vision = published if full else replace(published, layers=1, feed=16)
    if size is not None:
        vision = _vision_within(published, vision, size, dtype)
    files = {
        "config.json": json_bytes(vision_config(vision, dtype)),
    }
    kind_name = "CLIPVisionModelWithProjection"
    part = Part(
        "image_encoder", "transformers", kind_name, files, vision_layout(vision), f"vision-{kind}"
    )
    write_part(Path(folder), part, seed=seed, dtype=dtype, hollow=hollow)
    return Path(folder)


def _vision_within(published: Vision, small: Vision, size: int, dtype: str) -> Vision:
    def cost(vision: Vision) -> int:
        return file_size(vision_layout(vision), dtype)

    if cost(small) > size:
        return _narrow(small, largest(lambda hidden: cost(_narrow(small, hidden)), size, step=8))
    layers = largest(lambda layers: cost(replace(small, layers=layers)), size)
    deep = replace(small, layers=min(layers, published.layers))
    return replace(deep, feed=largest(lambda feed: cost(replace(deep, feed=feed)), size))


def _narrow(vision: Vision, hidden: int) -> Vision:
    return replace(vision, hidden=hidden, heads=hidden // 8)


def t5(
    path: Path | str,
    *,
    folder: bool = True,
    seed: int = 0,
    size: int | None = None,
    dtype: str = "F16",
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a T5 v1.1 XXL encoder: a transformers folder, or one file.

    Args:
        path: The file or folder.
        folder: Make a folder with `config.json`.
        seed: Of the weights; with an equal seed it is the T5 of a pipeline of that `share_seed`.
        size: Wanted bytes; None makes it 4 MB with the published width of 4096.
        dtype: Of the weights.
        full: The published size (9 GB: use with *hollow*).
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    encoder = T5_XXL if full else encoder_within("t5", size, dtype)
    part = encoder_part("text_encoder_2", "t5", encoder, dtype)
    if folder:
        write_part(Path(path), part, seed=seed, dtype=dtype, hollow=hollow)
        return Path(path)
    original = as_saved(part.layout or {})
    # The published single file holds the token embedding under both of its names.
    original["encoder.embed_tokens.weight"] = original["shared.weight"]
    return write_original(
        path, original, seed=seed, weights=part.weights, dtype=dtype, hollow=hollow
    )
