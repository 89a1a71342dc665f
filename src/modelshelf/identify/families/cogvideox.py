"""CogVideoX: blocks of one attention over text and video, modulated from 512 numbers.

1920 wide with 30 blocks (2B) or 3072 wide with 42 (5B). 1.5 cuts patches over time as well, by a
linear layer. CogView 3 and 4 are 2560 and 4096 wide, ConsisID adds what knows a face, EasyAnimate
keeps the text in layers of its own.

Sources: `sat/dit_video_concat.py` of zai-org/CogVideo, `CogVideoXTransformer3DModel` of
huggingface/diffusers, CogVideoX-Fun of aigc-apps/VideoX-Fun, `comfy/ldm/cogvideo/model.py` of
Comfy-Org/ComfyUI.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Never, Setting
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, every, vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelVariantType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_COGVIDEOX = BaseModelType.COGVIDEOX
_SMALL, _LARGE = 1920, 3072
_WIDTHS = (_SMALL, _LARGE)
_SIX = tuple(6 * width for width in _WIDTHS)
_TWELVE = tuple(12 * width for width in _WIDTHS)
_HEAD, _BLOCKS, _FEWEST_BLOCKS = 64, 42, 30
_CHANNELS, _PATCH = 16, 2 * 2 * 2

_PATCHES = "patch_embed.proj.weight"
_NO_OTHER_KIND: tuple[Condition, ...] = (
    Absent("*audio_*"),
    Absent("local_facial_extractor.*"),
    Absent("perceiver_cross_attention.*"),
    # EasyAnimate keeps the text apart.
    Absent("transformer_blocks.#.txt_ff.*"),
    Absent("transformer_blocks.#.attn1.add_*"),
    Absent("blocks.#.txt_ff*"),
    Absent("blocks.#.add_*"),
    *NO_CONTROL,
)


def _takes(*frames: int) -> Condition:
    """Latents of so many frames beside each other."""
    return Either(
        (
            Tensor(_PATCHES, (_WIDTHS, tuple(_CHANNELS * one for one in frames)), rank=4),
            Tensor(_PATCHES, (_WIDTHS, tuple(_CHANNELS * _PATCH * one for one in frames)), rank=2),
        )
    )


# Fun's control models take two frames as well, and have no embedding to tell them from images.
_IS_I2V = every(_takes(2), Either((Marker("patch_embed.pos_embedding"), Marker("ofs_embedding*"))))
_IS_1_5 = Tensor(_PATCHES, (_LARGE,), rank=2)


def _blocks(layout: str, blocks: str, attention: str) -> Family:
    """The model as a file.

    Args:
        layout: Whose names it follows.
        blocks: What the list of blocks is called.
        attention: Where a block keeps its attention, with a dot at the end; empty for in itself.
    """
    return main_file(
        _COGVIDEOX,
        layout,
        vectors(f"{blocks}.#.{attention}norm_q.weight", _HEAD),
        vectors(f"{blocks}.#.norm1.linear.bias", *_SIX, below=_BLOCKS),
        vectors(f"{blocks}.#.norm1.norm.weight", *_WIDTHS),
        vectors(f"{blocks}.#.norm2.linear.bias", *_SIX),
        NoOther("patch_embed.text_proj.weight", (_WIDTHS, 4096)),
        Either(
            (
                vectors("patch_embed.text_proj.bias", *_WIDTHS),
                vectors("patch_embed.proj.bias", *_WIDTHS),
                vectors("norm_final.weight", *_WIDTHS),
            )
        ),
        *_NO_OTHER_KIND,
        traits=(
            Trait(ModelVariantType.T2V, _takes(1)),
            Trait(ModelVariantType.I2V, _IS_I2V),
            Trait(Architecture("cogvideox-2b"), vectors(f"{blocks}.#.norm1.norm.weight", _SMALL)),
            Trait(
                Architecture("cogvideox-5b"),
                every(
                    vectors(f"{blocks}.#.norm1.norm.weight", _LARGE),
                    Tensor(_PATCHES, (_LARGE,), rank=4),
                ),
            ),
            Trait(Architecture("cogvideox-1.5-5b"), _IS_1_5),
        ),
        prediction=SchedulerPredictionType.V_PREDICTION,
        blocks=((blocks, _FEWEST_BLOCKS),),
    )


FAMILIES = (
    _blocks("diffusers", "transformer_blocks", "attn1."),
    _blocks("comfy", "blocks", ""),
    main_file(
        _COGVIDEOX,
        "original",
        vectors("mixins.adaln_layer.query_layernorm_list.#.weight", _HEAD),
        vectors("mixins.adaln_layer.adaLN_modulations.#.#.bias", *_TWELVE, below=_BLOCKS),
        vectors("layers.#.input_layernorm.weight", *_WIDTHS),
        traits=(
            Trait(Architecture("cogvideox-2b"), vectors("layers.#.input_layernorm.weight", _SMALL)),
            Trait(
                Architecture("cogvideox-5b"),
                every(
                    vectors("layers.#.input_layernorm.weight", _LARGE),
                    Tensor("mixins.patch_embed.proj.weight", rank=4),
                ),
            ),
            Trait(
                Architecture("cogvideox-1.5-5b"),
                Tensor("mixins.patch_embed.proj.weight", (_LARGE,), rank=2),
            ),
        ),
        prediction=SchedulerPredictionType.V_PREDICTION,
        blocks=(("layers", _FEWEST_BLOCKS),),
    ),
    component(
        _COGVIDEOX,
        "CogVideoXTransformer3DModel",
        Setting("num_attention_heads", tuple(width // _HEAD for width in _WIDTHS)),
        *where_set(text_embed_dim=4096, out_channels=_CHANNELS, attention_head_dim=_HEAD),
        traits=(
            Trait(ModelVariantType.T2V, Setting("in_channels", (_CHANNELS,))),
            Trait(
                ModelVariantType.I2V,
                every(
                    Setting("in_channels", (2 * _CHANNELS,)),
                    Either(
                        (
                            Setting("use_learned_positional_embeddings", (True,)),
                            Setting("ofs_embed_dim"),
                        )
                    ),
                ),
            ),
            Trait(Architecture("cogvideox-2b"), Setting("num_attention_heads", (_SMALL // _HEAD,))),
            Trait(
                Architecture("cogvideox-5b"),
                every(
                    Setting("num_attention_heads", (_LARGE // _HEAD,)),
                    Never(Setting("patch_size_t")),
                ),
            ),
            Trait(Architecture("cogvideox-1.5-5b"), Setting("patch_size_t")),
        ),
        prediction=SchedulerPredictionType.V_PREDICTION,
    ),
)
"""Everything that CogVideoX brings."""
