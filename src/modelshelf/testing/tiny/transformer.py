"""The transformers of sd-3 and flux, tensor by tensor.

Every published tensor is there under its published name. What another part or a reader relies on
keeps its published size at any width: latent channels, the widths of the text and of its summary,
the table of positions, the number of blocks. Only the width inside (published: 1536 in sd-3, 3072
in flux) can be smaller.

Source: diffusers `SD3Transformer2DModel`, `FluxTransformer2DModel`, and the published
`transformer/config.json`.
"""

from __future__ import annotations

from modelshelf.testing.tiny.layout import Layout, Shape, linear, prefixed

__all__ = ["FLUX_WIDTH", "SD3_WIDTH", "WIDTHS", "flux_layout", "head_width", "sd3_layout"]

FLUX_WIDTH, FLUX_DOUBLE, FLUX_SINGLE = 3072, 19, 38
SD3_WIDTH, SD3_BLOCKS, SD3_POSITIONS = 1536, 24, 192 * 192
WIDTHS = {"flux": FLUX_WIDTH, "sd-3": SD3_WIDTH}
"""Base → the published width inside."""
HEADS = {"flux": 128, "sd-3": 64}
TEXT, FLUX_SUMMARY, SD3_SUMMARY = 4096, 768, 2048
TIME = 256


def head_width(base: str, width: int) -> int:
    """Width of one attention head: as published at the published width, 8 in anything narrower.

    Example:
        >>> head_width("flux", 3072), head_width("flux", 16)
        (128, 8)
    """
    return HEADS[base] if width % WIDTHS[base] == 0 else 8


def flux_layout(*, width: int = FLUX_WIDTH, in_channels: int = 64, guidance: bool = True) -> Layout:
    """Name and size every tensor of a FLUX.1 transformer as diffusers saves it.

    Args:
        width: Width inside; a multiple of 8.
        in_channels: 64; 384 in Fill, 128 in Depth and Canny.
        guidance: Whether it takes a guidance value, as dev does; schnell does not.

    Example:
        >>> flux_layout()["context_embedder.weight"]
        (3072, 4096)
    """
    head = head_width("flux", width)
    layout = linear("x_embedder", width, in_channels) | linear("context_embedder", width, TEXT)
    layout |= _time("time_text_embed.timestep_embedder", width, TIME)
    layout |= _time("time_text_embed.text_embedder", width, FLUX_SUMMARY)
    layout |= _time("time_text_embed.guidance_embedder", width, TIME) if guidance else {}
    double = _joint_block(width, norm1=6, norm1_context=6)
    double |= {
        f"attn.{name}.weight": (head,)
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k")
    }
    for number in range(FLUX_DOUBLE):
        layout |= prefixed(f"transformer_blocks.{number}.", double)
    single = _single_block(width, head)
    for number in range(FLUX_SINGLE):
        layout |= prefixed(f"single_transformer_blocks.{number}.", single)
    return layout | linear("norm_out.linear", 2 * width, width) | linear("proj_out", 64, width)


def sd3_layout(*, width: int = SD3_WIDTH) -> Layout:
    """Name and size every tensor of a Stable Diffusion 3 medium transformer as diffusers saves it.

    Args:
        width: Width inside; a multiple of 8.

    Example:
        >>> sd3_layout()["pos_embed.pos_embed"]
        (1, 36864, 1536)
    """
    layout: dict[str, Shape] = {
        "pos_embed.pos_embed": (1, SD3_POSITIONS, width),
        "pos_embed.proj.weight": (width, 16, 2, 2),
        "pos_embed.proj.bias": (width,),
    }
    layout |= _time("time_text_embed.timestep_embedder", width, TIME)
    layout |= _time("time_text_embed.text_embedder", width, SD3_SUMMARY)
    layout |= linear("context_embedder", width, TEXT)
    for number in range(SD3_BLOCKS - 1):
        layout |= prefixed(
            f"transformer_blocks.{number}.", _joint_block(width, norm1=6, norm1_context=6)
        )
    last = _joint_block(width, norm1=6, norm1_context=2, ends=True)
    layout |= prefixed(f"transformer_blocks.{SD3_BLOCKS - 1}.", last)
    return layout | linear("norm_out.linear", 2 * width, width) | linear("proj_out", 64, width)


def _time(name: str, width: int, into: int) -> dict[str, Shape]:
    return linear(f"{name}.linear_1", width, into) | linear(f"{name}.linear_2", width, width)


def _joint_block(
    width: int, *, norm1: int, norm1_context: int, ends: bool = False
) -> dict[str, Shape]:
    """Image and text side by side; the text's side *ends* in the last block of sd-3."""
    block = linear("norm1.linear", norm1 * width, width)
    block |= linear("norm1_context.linear", norm1_context * width, width)
    for name in ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0"):
        block |= linear(f"attn.{name}", width, width)
    sides = ("ff",) if ends else ("ff", "ff_context")
    block |= {} if ends else linear("attn.to_add_out", width, width)
    for side in sides:
        block |= linear(f"{side}.net.0.proj", 4 * width, width) | linear(
            f"{side}.net.2", width, 4 * width
        )
    return block


def _single_block(width: int, head: int) -> dict[str, Shape]:
    block: dict[str, Shape] = {"attn.norm_q.weight": (head,), "attn.norm_k.weight": (head,)}
    for name in ("to_q", "to_k", "to_v"):
        block |= linear(f"attn.{name}", width, width)
    block |= linear("norm.linear", 3 * width, width) | linear("proj_mlp", 4 * width, width)
    return block | linear("proj_out", width, 5 * width)
