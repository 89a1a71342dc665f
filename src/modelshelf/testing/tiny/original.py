"""The same weights in the layout of the original single files: renamed, fused, halves exchanged.

Every function takes the layout of a part as diffusers or transformers saves it, and says for each
tensor of the original file its shape and the tensors whose numbers it holds, one after the other.

Source: `diffusers/loaders/single_file_utils.py` and the names of the published checkpoints.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from modelshelf.testing.tiny.autoencoder import ldm_autoencoder_name
from modelshelf.testing.tiny.layout import Layout, Shape
from modelshelf.testing.tiny.payload import Piece, write_safetensors
from modelshelf.testing.tiny.unet import UNETS, ldm_unet_name

__all__ = [
    "Original",
    "Source",
    "as_saved",
    "ldm_autoencoder",
    "ldm_unet",
    "openclip",
    "original_flux",
    "original_sd3",
    "pieces",
    "said_where_narrow",
    "write_original",
]

_ARCHITECTURES = {
    "sd-1": "stable-diffusion-v1",
    "sd-2": "stable-diffusion-v2",
    "sdxl": "stable-diffusion-xl-v1-base",
    "sdxl-refiner": "stable-diffusion-xl-v1-refiner",
}
"""What ModelSpec calls a base whose UNet is one thing narrow and another as published."""


@dataclass(frozen=True, slots=True)
class Source:
    """Numbers of one tensor that an original tensor holds."""

    name: str
    """Its name in the saved layout."""
    begin: int
    """The first that is taken."""
    end: int
    """The first that is not taken any more."""


Original = dict[str, tuple[Shape, tuple[Source, ...]]]
"""Original names with shape and sources. A tensor without sources has weights of its own."""


def write_original(
    path: Path | str,
    original: Original,
    *,
    seed: int,
    weights: str,
    dtype: str,
    hollow: bool,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write one part in its original layout, with the weights of a part folder of the same seed."""
    tensors = {name: (dtype, shape) for name, (shape, _) in original.items()}
    return write_safetensors(
        path,
        tensors,
        seed=f"{seed}:{weights}",
        metadata={"format": "pt", **(metadata or {})},
        pieces=pieces(original, f"{seed}:{weights}"),
        hollow=hollow,
    )


def said_where_narrow(base: str, width: int, kind: str = "") -> dict[str, str]:
    """Return the metadata of a file whose UNet stands for a wider one: nothing else in it says so.

    Args:
        base: What the UNet is.
        width: Channels of its first level.
        kind: What ModelSpec calls a file beside the UNet, such as `lora`; empty for the UNet itself.
    """
    if base not in UNETS or width == UNETS[base].width:
        return {}
    return {"modelspec.architecture": "/".join(filter(None, (_ARCHITECTURES[base], kind)))}


def pieces(original: Original, seed: str) -> dict[str, tuple[Piece, ...]]:
    """The runs of random numbers behind an original layout whose part is made with *seed*."""
    return {
        name: tuple(Piece(f"{seed}:{one.name}", one.begin, one.end) for one in sources)
        for name, (_, sources) in original.items()
        if sources
    }


def as_saved(layout: Layout) -> Original:
    """Nothing changed."""
    return {name: (shape, _whole(layout, name)) for name, shape in layout.items()}


def ldm_unet(layout: Layout, base: str) -> Original:
    """A UNet in the names of the CompVis and Stability checkpoints."""
    return {
        ldm_unet_name(name, base): (shape, _whole(layout, name)) for name, shape in layout.items()
    }


def ldm_autoencoder(layout: Layout) -> Original:
    """A VAE in the names of the original checkpoints, which have 1x1 convolutions for attention."""
    original: Original = {}
    for name, shape in layout.items():
        is_matrix = ".attentions." in name and len(shape) > 1
        original[ldm_autoencoder_name(name)] = (
            (*shape, 1, 1) if is_matrix else shape,
            _whole(layout, name),
        )
    return original


OPENCLIP = (
    ("text_model.embeddings.token_embedding", "token_embedding"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm", "ln_final"),
    ("text_model.encoder.layers.", "transformer.resblocks."),
    ("layer_norm1", "ln_1"),
    ("layer_norm2", "ln_2"),
    ("mlp.fc1", "mlp.c_fc"),
    ("mlp.fc2", "mlp.c_proj"),
    ("self_attn.out_proj", "attn.out_proj"),
)


def openclip(layout: Layout, *, more_layers: int = 0) -> Original:
    """A CLIP text encoder in OpenCLIP's names.

    Args:
        layout: As transformers saves it.
        more_layers: Blocks at the end that the saved encoder leaves out; 1 in sd-2.
    """
    original: Original = {"logit_scale": ((), ())}
    width = layout["text_model.final_layer_norm.weight"][0]
    # The saved projection is the transpose of this one: the same numbers in another order, hence its own here.
    original["text_projection"] = ((width, width), ())
    for name, shape in layout.items():
        if name == "text_projection.weight" or re.search(r"self_attn\.[kv]_proj", name):
            continue
        if ".q_proj." in name:
            stem, leaf = _openclip_name(name.partition(".self_attn.")[0]), name.rpartition(".")[2]
            fused = [name.replace(".q_proj.", f".{letter}_proj.") for letter in "qkv"]
            original[f"{stem}.attn.in_proj_{leaf}"] = _fused(layout, fused)
        else:
            original[_openclip_name(name)] = (shape, _whole(layout, name))
    count = len({name.split(".")[2] for name in original if ".resblocks." in name})
    for number in range(count, count + more_layers):
        for name in [name for name in original if name.startswith("transformer.resblocks.0.")]:
            original[name.replace(".0.", f".{number}.", 1)] = (original[name][0], ())
    return original


def _openclip_name(name: str) -> str:
    for saved, there in OPENCLIP:
        name = name.replace(saved, there)
    return name


FLUX_ENDS = {
    "x_embedder": "img_in",
    "context_embedder": "txt_in",
    "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
    "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
    "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
    "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
    "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
    "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer",
    "proj_out": "final_layer.linear",
}
FLUX_DOUBLE_NAMES = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",),
    "img_mlp.0": ("ff.net.0.proj",),
    "img_mlp.2": ("ff.net.2",),
    "txt_mlp.0": ("ff_context.net.0.proj",),
    "txt_mlp.2": ("ff_context.net.2",),
    "img_mod.lin": ("norm1.linear",),
    "txt_mod.lin": ("norm1_context.linear",),
}
FLUX_DOUBLE_NORMS = {
    "img_attn.norm.query_norm.scale": "attn.norm_q.weight",
    "img_attn.norm.key_norm.scale": "attn.norm_k.weight",
    "txt_attn.norm.query_norm.scale": "attn.norm_added_q.weight",
    "txt_attn.norm.key_norm.scale": "attn.norm_added_k.weight",
}
FLUX_SINGLE_NAMES = {
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation.lin": ("norm.linear",),
}
FLUX_SINGLE_NORMS = {
    "norm.query_norm.scale": "attn.norm_q.weight",
    "norm.key_norm.scale": "attn.norm_k.weight",
}


def original_flux(layout: Layout) -> Original:
    """A FLUX.1 transformer in the names of Black Forest Labs."""
    original = _ends(layout, FLUX_ENDS)
    for number in range(_count(layout, "transformer_blocks.")):
        there, saved = f"double_blocks.{number}.", f"transformer_blocks.{number}."
        original |= _block(layout, there, saved, FLUX_DOUBLE_NAMES, FLUX_DOUBLE_NORMS)
    for number in range(_count(layout, "single_transformer_blocks.")):
        there, saved = f"single_blocks.{number}.", f"single_transformer_blocks.{number}."
        original |= _block(layout, there, saved, FLUX_SINGLE_NAMES, FLUX_SINGLE_NORMS)
    return original | _exchanged(layout, "final_layer.adaLN_modulation.1", "norm_out.linear")


SD3_ENDS = {
    "context_embedder": "context_embedder",
    "pos_embed.proj": "x_embedder.proj",
    "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
    "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
    "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
    "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2",
    "proj_out": "final_layer.linear",
}
SD3_NAMES = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "x_block.attn.proj": ("attn.to_out.0",),
    "x_block.mlp.fc1": ("ff.net.0.proj",),
    "x_block.mlp.fc2": ("ff.net.2",),
    "x_block.adaLN_modulation.1": ("norm1.linear",),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
SD3_CONTEXT_NAMES = {
    "context_block.attn.proj": ("attn.to_add_out",),
    "context_block.mlp.fc1": ("ff_context.net.0.proj",),
    "context_block.mlp.fc2": ("ff_context.net.2",),
    "context_block.adaLN_modulation.1": ("norm1_context.linear",),
}


def original_sd3(layout: Layout) -> Original:
    """A Stable Diffusion 3 transformer in Stability's names."""
    position = "pos_embed.pos_embed"
    original = _ends(layout, SD3_ENDS) | {"pos_embed": (layout[position], _whole(layout, position))}
    last = _count(layout, "transformer_blocks.") - 1
    for number in range(last + 1):
        names = SD3_NAMES | ({} if number == last else SD3_CONTEXT_NAMES)
        original |= _block(
            layout, f"joint_blocks.{number}.", f"transformer_blocks.{number}.", names, {}
        )
    ending = f"joint_blocks.{last}.context_block.adaLN_modulation.1"
    original |= _exchanged(layout, ending, f"transformer_blocks.{last}.norm1_context.linear")
    return original | _exchanged(layout, "final_layer.adaLN_modulation.1", "norm_out.linear")


def _ends(layout: Layout, names: Mapping[str, str]) -> Original:
    original: Original = {}
    for name, shape in layout.items():
        stem, _, leaf = name.rpartition(".")
        if stem in names:
            original[f"{names[stem]}.{leaf}"] = (shape, _whole(layout, name))
    return original


def _block(
    layout: Layout,
    there: str,
    saved: str,
    fused: Mapping[str, tuple[str, ...]],
    renamed: Mapping[str, str],
) -> Original:
    original: Original = {}
    for name, sources in fused.items():
        for leaf in ("weight", "bias"):
            original[f"{there}{name}.{leaf}"] = _fused(
                layout, [f"{saved}{one}.{leaf}" for one in sources]
            )
    for name, source in renamed.items():
        original[there + name] = (layout[saved + source], _whole(layout, saved + source))
    return original


def _count(layout: Layout, prefix: str) -> int:
    return len(
        {name.removeprefix(prefix).partition(".")[0] for name in layout if name.startswith(prefix)}
    )


def _whole(layout: Layout, name: str) -> tuple[Source, ...]:
    return (Source(name, 0, prod(layout[name])),)


def _fused(layout: Layout, names: list[str]) -> tuple[Shape, tuple[Source, ...]]:
    """Rows of several matrices, one after the other."""
    rows = sum(layout[name][0] for name in names)
    return (rows, *layout[names[0]][1:]), tuple(
        one for name in names for one in _whole(layout, name)
    )


def _exchanged(layout: Layout, there: str, saved: str) -> Original:
    """Scale and shift change places."""
    original: Original = {}
    for leaf in ("weight", "bias"):
        name, total = f"{saved}.{leaf}", prod(layout[f"{saved}.{leaf}"])
        halves = (Source(name, total // 2, total), Source(name, 0, total // 2))
        original[f"{there}.{leaf}"] = (layout[name], halves)
    return original
