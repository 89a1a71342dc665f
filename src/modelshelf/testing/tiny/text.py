"""The text encoders (CLIP and T5) and the CLIP image encoder, tensor by tensor.

The hidden width is what other parts read, so it is the published one unless a caller asks for less;
layers, the width of the feed-forward part and the vocabulary can be fewer, which each `config.json`
says too.

Source: transformers `CLIPTextModel`, `CLIPVisionModelWithProjection`, `T5EncoderModel`, and the
published configs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Layout, Shape, linear, norm

__all__ = [
    "CLIPS",
    "T5",
    "T5_XXL",
    "VISIONS",
    "Clip",
    "Vision",
    "clip_layout",
    "t5_layout",
    "vision_layout",
]


@dataclass(frozen=True, slots=True)
class Clip:
    """The sizes of a CLIP text encoder."""

    hidden: int
    """Width of what it hands to the denoiser."""
    layers: int
    """Blocks."""
    feed: int
    """Width inside the feed-forward part."""
    heads: int
    """Attention heads."""
    vocabulary: int = 49408
    """Rows of the token embedding."""
    projection: int | None = None
    """Width of `text_projection`; None where the model has none."""
    activation: str = "quick_gelu"
    """`hidden_act`."""


CLIPS: Mapping[str, Clip] = MappingProxyType(
    {
        "l": Clip(768, 12, 3072, 12),
        "l-projected": Clip(768, 12, 3072, 12, projection=768),
        "h": Clip(1024, 23, 4096, 16, activation="gelu"),
        "g": Clip(1280, 32, 5120, 20, projection=1280, activation="gelu"),
    }
)
"""CLIP ViT-L/14 (sd-1; with projection sd-3), OpenCLIP ViT-H/14 (sd-2) and ViT-bigG/14 (sdxl), as
published."""


def clip_layout(clip: Clip) -> Layout:
    """Name and size every tensor of a CLIP text encoder as transformers saves it.

    Example:
        >>> len(clip_layout(CLIPS["l"]))
        196
    """
    layout: dict[str, Shape] = {
        "text_model.embeddings.token_embedding.weight": (clip.vocabulary, clip.hidden),
        "text_model.embeddings.position_embedding.weight": (77, clip.hidden),
    }
    for number in range(clip.layers):
        layout |= _clip_layer(f"text_model.encoder.layers.{number}", clip.hidden, clip.feed)
    layout |= norm("text_model.final_layer_norm", clip.hidden)
    if clip.projection is not None:
        layout |= linear("text_projection", clip.projection, clip.hidden, bias=False)
    return layout


def _clip_layer(name: str, hidden: int, feed: int) -> dict[str, Shape]:
    layout = norm(f"{name}.layer_norm1", hidden) | norm(f"{name}.layer_norm2", hidden)
    for matrix in ("q_proj", "k_proj", "v_proj", "out_proj"):
        layout |= linear(f"{name}.self_attn.{matrix}", hidden, hidden)
    layout |= linear(f"{name}.mlp.fc1", feed, hidden)
    return layout | linear(f"{name}.mlp.fc2", hidden, feed)


@dataclass(frozen=True, slots=True)
class Vision:
    """The sizes of a CLIP image encoder."""

    hidden: int
    """Width inside."""
    layers: int
    """Blocks."""
    feed: int
    """Width inside the feed-forward part."""
    heads: int
    """Attention heads."""
    projection: int
    """Width of what it hands on."""
    patch: int = 14
    """Pixels on a side of a patch."""
    activation: str = "gelu"
    """`hidden_act`."""

    @property
    def positions(self) -> int:
        """Patches of a 224-pixel image, and the class token."""
        return (224 // self.patch) ** 2 + 1


VISIONS: Mapping[str, Vision] = MappingProxyType(
    {
        "l": Vision(1024, 24, 4096, 16, 768, activation="quick_gelu"),
        "h": Vision(1280, 32, 5120, 16, 1024),
        "g": Vision(1664, 48, 8192, 16, 1280),
    }
)
"""CLIP ViT-L/14, OpenCLIP ViT-H/14 and ViT-bigG/14, as published."""


def vision_layout(vision: Vision) -> Layout:
    """Name and size every tensor of a CLIP image encoder as transformers saves it.

    Example:
        >>> vision_layout(VISIONS["h"])["visual_projection.weight"]
        (1024, 1280)
    """
    here = "vision_model.embeddings"
    layout: dict[str, Shape] = {
        f"{here}.class_embedding": (vision.hidden,),
        f"{here}.patch_embedding.weight": (vision.hidden, 3, vision.patch, vision.patch),
        f"{here}.position_embedding.weight": (vision.positions, vision.hidden),
        **norm("vision_model.pre_layrnorm", vision.hidden),
    }
    for number in range(vision.layers):
        layout |= _clip_layer(f"vision_model.encoder.layers.{number}", vision.hidden, vision.feed)
    layout |= norm("vision_model.post_layernorm", vision.hidden)
    return layout | linear("visual_projection", vision.projection, vision.hidden, bias=False)


@dataclass(frozen=True, slots=True)
class T5:
    """The sizes of a T5 v1.1 encoder."""

    hidden: int
    """Width of what it hands to the denoiser (`d_model`)."""
    layers: int
    """Blocks."""
    feed: int
    """Width inside the feed-forward part (`d_ff`)."""
    heads: int
    """Attention heads, each of 64."""
    vocabulary: int = 32128
    """Rows of the token embedding."""

    def shrunk(self, *, layers: int, vocabulary: int) -> T5:
        """The same hidden width with one head, a narrow feed-forward part and fewer rows."""
        return replace(self, layers=layers, feed=16, heads=1, vocabulary=vocabulary)


T5_XXL = T5(4096, 24, 10240, 64)
"""T5 v1.1 XXL, which sd-3 and flux share, as published."""


def t5_layout(t5: T5) -> Layout:
    """Name and size every tensor of a T5 encoder as transformers saves it.

    Example:
        >>> t5_layout(T5_XXL)["encoder.block.0.layer.1.DenseReluDense.wi_0.weight"]
        (10240, 4096)
    """
    inner = t5.heads * 64
    layout: dict[str, Shape] = {"shared.weight": (t5.vocabulary, t5.hidden)}
    for number in range(t5.layers):
        attention, feed = f"encoder.block.{number}.layer.0", f"encoder.block.{number}.layer.1"
        for matrix in "qkv":
            layout |= linear(f"{attention}.SelfAttention.{matrix}", inner, t5.hidden, bias=False)
        layout |= linear(f"{attention}.SelfAttention.o", t5.hidden, inner, bias=False)
        if number == 0:
            layout[f"{attention}.SelfAttention.relative_attention_bias.weight"] = (32, t5.heads)
        for matrix in ("wi_0", "wi_1"):
            layout |= linear(f"{feed}.DenseReluDense.{matrix}", t5.feed, t5.hidden, bias=False)
        layout |= linear(f"{feed}.DenseReluDense.wo", t5.hidden, t5.feed, bias=False)
        layout |= {f"{where}.layer_norm.weight": (t5.hidden,) for where in (attention, feed)}
    layout["encoder.final_layer_norm.weight"] = (t5.hidden,)
    return layout
