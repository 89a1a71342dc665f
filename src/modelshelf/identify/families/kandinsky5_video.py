"""Kandinsky 5 for video: 32 blocks of 1792 (Lite) or 60 of 4096 (Pro); images have a width of 2560.

Text-to-video and image-to-video take the same channels: noise, what is given, and a mask.
Kandinsky 6 and its super-resolution share the blocks for video and have none for text of that name.

Sources: `kandinsky/models/dit.py` of kandinskylab/kandinsky-5, `Kandinsky5Transformer3DModel` of
huggingface/diffusers, whose names are the same.
"""

from __future__ import annotations

from modelshelf.identify.condition import Either, Setting
from modelshelf.identify.families.denoiser import NO_CONTROL, component, main_file, where_set
from modelshelf.identify.families.video import vectors
from modelshelf.identify.family import Architecture, Trait
from modelshelf.identify.tensor_condition import NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_KANDINSKY_5 = BaseModelType.KANDINSKY_5
_LITE, _PRO = 1792, 4096
_WIDTHS = (_LITE, _PRO)
_BLOCKS, _FEWEST_BLOCKS = 60, 32
_NAMES = {"kandinsky-5-video-lite": _LITE, "kandinsky-5-video-pro": _PRO}

FAMILIES = (
    main_file(
        _KANDINSKY_5,
        "video",
        vectors(
            "visual_transformer_blocks.#.cross_attention.query_norm.weight", 64, 128, below=_BLOCKS
        ),
        vectors(
            "visual_transformer_blocks.#.visual_modulation.out_layer.bias",
            *(9 * width for width in _WIDTHS),
        ),
        vectors(
            "text_transformer_blocks.#.text_modulation.out_layer.bias",
            *(6 * width for width in _WIDTHS),
        ),
        Either(
            (
                vectors("text_embeddings.norm.weight", *_WIDTHS),
                vectors("visual_embeddings.in_layer.bias", *_WIDTHS),
            )
        ),
        NoOther("text_embeddings.in_layer.weight", (_WIDTHS, 3584)),
        NoOther("pooled_text_embeddings.in_layer.weight", (None, 768)),
        *NO_CONTROL,
        traits=tuple(
            Trait(
                Architecture(name),
                Tensor(
                    "visual_transformer_blocks.#.visual_modulation.out_layer.bias", (9 * width,)
                ),
            )
            for name, width in _NAMES.items()
        ),
        blocks=(("visual_transformer_blocks", _FEWEST_BLOCKS),),
    ),
    component(
        _KANDINSKY_5,
        "Kandinsky5Transformer3DModel",
        Setting("model_dim", _WIDTHS),
        *where_set(in_text_dim=3584, in_text_dim2=768, out_visual_dim=16),
        traits=tuple(
            Trait(Architecture(name), Setting("model_dim", (width,)))
            for name, width in _NAMES.items()
        ),
        kind="video-folder",
    ),
)
"""Everything that Kandinsky 5 brings as a denoiser of video."""
