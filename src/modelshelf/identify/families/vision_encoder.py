"""Encoders of images: CLIP's vision half in four sizes, SigLIP in four, and FLUX Redux behind it.

They belong to no base, except Redux, which speaks to FLUX.

Sources: `CLIPModel`, `SiglipModel`, `Siglip2Model` and their vision halves in huggingface/transformers,
`src/open_clip/transformer.py` of mlfoundations/open_clip, `wan/modules/clip.py` of
Wan-Video/Wan2.1, `ReduxImageEncoder` of huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from modelshelf.identify.condition import Both, Condition, Setting
from modelshelf.identify.family import Architecture, Detail, Family, Trait
from modelshelf.identify.network import Within
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)
_CLIP = (
    ("clip-vision-b", 768, 12),
    ("clip-vision-l", 1024, 24),
    ("clip-vision-h", 1280, 32),
    ("clip-vision-bigg", 1664, 48),
)
"""Name, width and blocks."""
# Detectors and classifiers are built on the smallest one.
_NOTHING_ELSE = Within(
    "a CLIP",
    (
        *("vision_model.", "text_model.", "visual_projection.", "text_projection", "logit_scale"),
        *("visual.", "resblocks.", "token_embedding.", "positional_embedding", "ln_final."),
    ),
)
_WHOLE: tuple[tuple[str, int, int, int, tuple[Condition, ...]], ...] = (
    ("clip-vision-b", 768, 12, 512, (_NOTHING_ELSE,)),
    ("clip-vision-h", 1280, 32, 1024, ()),
)
"""Name, width and blocks of the vision half, width of the text, and what else is asked."""
# As many as CLIP reads, or a program that stretched them; OWL-ViT, of the same names, reads 16.
_POSITIONS = (77, 248)
_SIGLIP = (
    ("siglip-base", 768, 12),
    ("siglip-large", 1024, 24),
    ("siglip-so400m", 1152, 27),
    ("siglip-giant", 1536, 40),
)

_NAMINGS = (("transformers", "vision_model."), ("without-model", ""))
"""Version 5 of transformers leaves `vision_model` out."""

_ALONE: tuple[Condition, ...] = (
    Absent("text_model.*"),
    # The safety checker is such an encoder with a list of concepts behind it; others put a
    # classifier there.
    Absent("concept_embeds*"),
    Absent("classifier*"),
    Absent("*lora*"),
)

_IN_NO_BUNDLE: tuple[Condition, ...] = (
    Absent("input_blocks.*"),
    Absent("down_blocks.*"),
    Absent("decoder.*"),
    Absent("concept_embeds*"),
    Absent("*lora*"),
)


def _clip(width: int, layers: int, prefix: str) -> tuple[Condition, ...]:
    return (
        Tensor(f"{prefix}embeddings.class_embedding", (width,)),
        Tensor(f"{prefix}embeddings.patch_embedding.weight", (width, 3)),
        Tensor(f"{prefix}encoder.layers.#.mlp.fc1.weight", (None, width), count=layers),
        *_ALONE,
    )


def _open_clip(width: int, layers: int) -> tuple[Condition, ...]:
    return (
        Tensor("visual.class_embedding", (width,)),
        Tensor("visual.conv1.weight", (width, 3), rank=4),
        Tensor("visual.transformer.resblocks.#.attn.in_proj_weight", (None, width), count=layers),
        # With a text half beside it, it is all of CLIP and no encoder of images.
        Absent("token_embedding.weight"),
        Absent("ln_final.weight"),
    )


def _all_of(width: int, layers: int, text: int, naming: str) -> tuple[Condition, ...]:
    """All of a CLIP whose text half no model reads: what it is kept for is seeing.

    SD 2 reads H's text, and its file leaves the picture out.
    """
    if naming == "open-clip":
        return (
            Tensor("visual.conv1.weight", (width, 3), rank=4),
            Tensor(
                "visual.transformer.resblocks.#.attn.in_proj_weight", (None, width), count=layers
            ),
            Some("token_embedding.weight", (None, text)),
            Tensor("positional_embedding", (_POSITIONS, text)),
            *_IN_NO_BUNDLE,
        )
    return (
        Tensor("vision_model.embeddings.class_embedding", (width,)),
        Tensor("vision_model.encoder.layers.#.mlp.fc1.weight", (None, width), count=layers),
        Some("text_model.embeddings.token_embedding.weight", (None, text)),
        Tensor("text_model.embeddings.position_embedding.weight", (_POSITIONS, text)),
        *_IN_NO_BUNDLE,
    )


def _siglip(width: int, layers: int, prefix: str) -> tuple[Condition, ...]:
    return (*_siglip_vision(width, layers, prefix), *_ALONE)


def _whole_siglip(width: int, layers: int) -> tuple[Condition, ...]:
    # As it is published: its text half reads nobody's prompts. CLIP has no such bias.
    return (
        *_siglip_vision(width, layers, "vision_model."),
        Tensor("logit_bias"),
        Tensor("text_model.embeddings.token_embedding.weight"),
        Within("a SigLIP", ("vision_model.", "text_model.", "logit_")),
    )


def _siglip_vision(width: int, layers: int, prefix: str) -> tuple[Condition, ...]:
    return (
        # Pictures of any format come as a list of patches, 16 by 16 of three colours.
        Tensor(f"{prefix}embeddings.patch_embedding.weight", (width, (3, 768))),
        Tensor(f"{prefix}encoder.layers.#.mlp.fc1.weight", (None, width), count=layers),
        Tensor(f"{prefix}post_layernorm.weight", (width,)),
        Tensor(f"{prefix}embeddings.position_embedding.weight", (None, width)),
        # What CLIP's have, also one that lost a tensor.
        Absent(f"{prefix}embeddings.class_embedding"),
        Absent(f"{prefix}pre_layrnorm.*"),
    )


def _file(id_: str, name: str, conditions: tuple[Condition, ...], *, is_original: bool) -> Family:
    return Family(
        id=id_,
        type=ModelType.CLIP_VISION,
        format=ModelFormat.CHECKPOINT if is_original else ModelFormat.DIFFUSERS,
        bases=_ANY,
        conditions=conditions,
        architecture=name,
    )


_HALVES = (Detail("halves", "text and vision"),)

_CLIP_CLASSES = ("CLIPVisionModel", "CLIPVisionModelWithProjection")
_SIGLIP_CLASSES = ("SiglipModel", "SiglipVisionModel", "Siglip2Model", "Siglip2VisionModel")


def _sizes_in_folder(
    classes: tuple[str, ...], sizes: tuple[tuple[str, int, int], ...]
) -> Iterator[Trait]:
    """Yield the name of each size; where both halves are kept, theirs is a level below."""
    for name, width, layers in sizes:
        numbers = Both(Setting("hidden_size", (width,)), Setting("num_hidden_layers", (layers,)))
        yield Trait(Architecture(name), Both(numbers, Setting("class", classes)))


FAMILIES = (
    *(
        _file(f"{name}/{naming}", name, conditions(width, layers, prefix), is_original=False)
        for kinds, conditions in ((_CLIP, _clip), (_SIGLIP, _siglip))
        for name, width, layers in kinds
        for naming, prefix in _NAMINGS
    ),
    *(
        _file(f"{name}/open-clip", name, _open_clip(width, layers), is_original=True)
        for name, width, layers in _CLIP
    ),
    *(
        replace(
            _file(
                f"{name}/{naming}-whole",
                name,
                (*_all_of(width, layers, text, naming), *more),
                is_original=naming == "open-clip",
            ),
            details=_HALVES,
        )
        for name, width, layers, text, more in _WHOLE
        for naming in ("open-clip", "transformers")
    ),
    *(
        replace(
            _file(
                f"{name}/transformers-whole",
                name,
                _whole_siglip(width, layers),
                is_original=False,
            ),
            details=_HALVES,
        )
        for name, width, layers in _SIGLIP
    ),
    _file(
        "clip-vision-h/wan",
        "clip-vision-h",
        (
            # Beside a text half of another make, which nothing reads.
            Tensor("visual.patch_embedding.weight", (1280, 3), rank=4),
            Tensor("visual.transformer.#.attn.to_qkv.weight", (3840, 1280), count=32),
        ),
        is_original=True,
    ),
    Family(
        id="clip-vision/folder",
        type=ModelType.CLIP_VISION,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", (*_CLIP_CLASSES, *_SIGLIP_CLASSES)),),
        traits=(
            *_sizes_in_folder(_CLIP_CLASSES, _CLIP),
            *_sizes_in_folder(_SIGLIP_CLASSES, _SIGLIP),
        ),
    ),
    Family(
        id="flux-redux/file",
        type=ModelType.FLUX_REDUX,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.FLUX,),
        conditions=(
            Tensor("redux_up.weight", (12288, 1152)),
            Tensor("redux_down.weight", (4096, 12288)),
        ),
    ),
    Family(
        id="flux-redux/folder",
        type=ModelType.FLUX_REDUX,
        format=ModelFormat.DIFFUSERS,
        bases=(BaseModelType.FLUX,),
        conditions=(Setting("class", ("ReduxImageEncoder",)),),
    ),
)
"""One per size and way of naming."""
