"""CLIP text encoders: L, H and G by width and layers, in the names of three programs.

CLIP L serves SD 1, SDXL, SD 3 and FLUX alike, CLIP G serves SDXL and SD 3: their base is any. CLIP H
came with SD 2 and nothing else reads it. The text half of HunyuanDiT's Chinese CLIP is a BERT.

Sources: `CLIPTextModel` of huggingface/transformers, `src/open_clip/transformer.py` of
mlfoundations/open_clip, the checkpoints of NovelAI, which leave `text_model` out,
`hydit` of Tencent/HunyuanDiT with `BertModel` of huggingface/transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.condition import Condition, Either, Never, Setting
from modelshelf.identify.family import Detail, Family, Trait
from modelshelf.identify.layout import Part
from modelshelf.identify.tensor_condition import Absent, Some, Tensor, Wrapped
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType, ModelVariantType

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)
# 77 positions, 248 where a program stretched them; SigLIP, of the same names, has 64.
_POSITIONS = (77, 248)
_CHINESE = 47_020
"""Words that HunyuanDiT's CLIP knows."""


@dataclass(frozen=True, slots=True)
class _Size:
    """One size of CLIP."""

    name: str
    width: int
    layers: tuple[int, ...]
    """How many blocks; SD 2 leaves the last one out, as it reads the one before."""
    bases: tuple[BaseModelType, ...]
    variant: ModelVariantType | None


_SIZES = (
    _Size("clip-l", 768, (12,), _ANY, ModelVariantType.LARGE),
    _Size("clip-h", 1024, (23, 24), (BaseModelType.SD_2,), None),
    _Size("clip-g", 1280, (32,), _ANY, ModelVariantType.GIGANTIC),
)


_VISION = Either((Tensor("vision_model.embeddings.class_embedding"), Tensor("visual.conv1.weight")))


def _besides(size: _Size, other: str) -> tuple[Condition, ...]:
    # With the other naming beside it, it is one of the two encoders of a bundle. All of CLIP L or G
    # is still read for its text; all of CLIP H is what IP-Adapters see with, and no part of SD 2.
    return (Absent(other), *(() if size.bases == _ANY else (Never(_VISION),)))


def _transformers(size: _Size, layers: int, prefix: str) -> tuple[Condition, ...]:
    return (
        Some(f"{prefix}embeddings.token_embedding.weight", (None, size.width)),
        Tensor(f"{prefix}embeddings.position_embedding.weight", (_POSITIONS, size.width)),
        Tensor(f"{prefix}encoder.layers.#.mlp.fc1.weight", (None, size.width), count=layers),
        Tensor(f"{prefix}encoder.layers.#.self_attn.q_proj.weight", (None, size.width)),
        *_besides(size, "resblocks.*"),
    )


def _open_clip(size: _Size, layers: int) -> tuple[Condition, ...]:
    return (
        Some("token_embedding.weight", (None, size.width)),
        Tensor("positional_embedding", (_POSITIONS, size.width)),
        Tensor("resblocks.#.attn.in_proj_weight", (None, size.width), count=layers),
        *_besides(size, "text_model.*"),
    )


def _file(size: _Size, layers: int, naming: str, conditions: tuple[Condition, ...]) -> Family:
    is_original = naming == "open-clip"
    return Family(
        id=f"{size.name}/{layers}-layers/{naming}",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.CHECKPOINT if is_original else ModelFormat.DIFFUSERS,
        bases=size.bases,
        conditions=conditions,
        traits=(
            Trait(ModelFormat.CHECKPOINT, Wrapped(Part.TEXT)),
            Trait(Detail("halves", "text and vision"), _VISION),
            *((Trait(size.variant, conditions[0]),) if size.variant else ()),
        ),
        architecture=size.name,
    )


def _folder(size: _Size) -> Family:
    conditions = (
        Setting("class", ("CLIPTextModel", "CLIPTextModelWithProjection")),
        Setting("hidden_size", (size.width,)),
    )
    return Family(
        id=f"{size.name}/folder",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.TRANSFORMERS,
        bases=size.bases,
        conditions=conditions,
        traits=(Trait(size.variant, conditions[1]),) if size.variant else (),
        architecture=size.name,
    )


FAMILIES = (
    *(
        _file(size, layers, naming, conditions)
        for size in _SIZES
        for layers in size.layers
        for naming, conditions in (
            ("transformers", _transformers(size, layers, "text_model.")),
            ("without-model", _transformers(size, layers, "")),
            ("open-clip", _open_clip(size, layers)),
        )
    ),
    Family(
        id="clip-l-and-g/transformers",
        type=ModelType.CLIP_EMBED,
        format=ModelFormat.DIFFUSERS,
        # Both bases read this pair; SD 3 mostly comes with a T5 besides, and can do without.
        candidates=(BaseModelType.SDXL, BaseModelType.SD_3),
        conditions=(
            Some("text_model.embeddings.token_embedding.weight", (None, 768)),
            Some("text_model.embeddings.token_embedding.weight", (None, 1280)),
            Tensor("text_model.encoder.layers.#.mlp.fc1.weight", (None, (768, 1280)), count=44),
            Absent("encoder.block.*"),
        ),
        traits=(Trait(ModelFormat.CHECKPOINT, Wrapped(Part.TEXT)),),
    ),
    *(
        Family(
            id=f"hunyuan-dit-clip/{prefix or 'bare.'}",
            type=ModelType.TEXT_ENCODER,
            format=ModelFormat.CHECKPOINT,
            bases=_ANY,
            conditions=(
                # The text half of a Chinese CLIP is a BERT, and its list of words is its own.
                Some(f"{prefix}embeddings.word_embeddings.weight", (_CHINESE, 1024)),
                Tensor(f"{prefix}encoder.layer.#.output.LayerNorm.weight", (1024,), count=24),
                Tensor(f"{prefix}encoder.layer.#.attention.self.query.bias", (1024,), count=24),
            ),
            architecture="hunyuan-dit-clip",
        )
        for prefix in ("bert.", "")
    ),
    # SD 2's own module has the folder of CLIP H.
    *(_folder(size) for size in _SIZES if size.bases == _ANY),
)
"""One per size, number of layers and way of naming; and one per size as a folder."""
