"""LTX-Video and LTX-2: blocks of two attentions whose norms are as wide as the model.

LTX-Video is 2048 wide with 28 blocks (2B) or 4096 wide with 48 (13B); LTX-2 is the latter with an
audio stream of 2048 beside it, LTX-2.3 gates its attentions and modulates text as well, LTX-2.5 embeds
the places of given frames besides. PixArt and Allegro have `adaln_single` and `scale_shift_table` too,
and cut images into patches by convolution. Their latent upsamplers are other models, and none that
modelshelf names. Sana-WM refines what it makes with a model that has every module of LTX-2 under the same
name: only the class in its configuration tells it.

Sources: `ltx_video/models/transformers` of Lightricks/LTX-Video, Lightricks/LTX-2,
`LTXVideoTransformer3DModel`, `LTX2VideoTransformer3DModel` and `SanaWMLTX2RefinerTransformer3DModel` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Either, Setting
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_LTX = (BaseModelType.LTX_VIDEO,)
_SMALL, _LARGE = 2048, 4096
_WIDTHS = (_SMALL, _LARGE)
_TEXT, _LATENTS, _BLOCKS = 4096, 128, 48
_FEWEST, _ALL = (("transformer_blocks", 28),), (("transformer_blocks", _BLOCKS),)

_BLOCK_TABLE = "transformer_blocks.#.scale_shift_table"
_AUDIO_TABLE = "transformer_blocks.#.audio_scale_shift_table"

_NO_PATCHES: tuple[Condition, ...] = (Absent("pos_embed.*"), Absent("patch_embed*"), *NO_CONTROL)
_SIZES = (
    Trait(Architecture("ltx-video-2b"), Tensor(_BLOCK_TABLE, (6, _SMALL))),
    Trait(Architecture("ltx-video-13b"), Tensor(_BLOCK_TABLE, (6, _LARGE))),
)
_VERSIONS = (
    Trait(Architecture("ltx-2-19b"), Tensor(_BLOCK_TABLE, (6, _LARGE))),
    Trait(
        Architecture("ltx-2.3-22b"),
        Both(Tensor(_BLOCK_TABLE, (9, _LARGE)), Absent("keyframes_abs_pos_embedding")),
    ),
    Trait(Architecture("ltx-2.5-22b"), Marker("keyframes_abs_pos_embedding")),
)


def _video(norm: str, *entrances: tuple[str, tuple[int, ...]]) -> tuple[Condition, ...]:
    """The video stream alone; *norm* scales queries, one of *entrances* must be there."""
    return (
        Tensor(_BLOCK_TABLE, (6, None), rank=2),
        vectors(f"transformer_blocks.#.attn1.{norm}.weight", *_WIDTHS, below=_BLOCKS),
        vectors(f"transformer_blocks.#.attn2.{norm}.weight", *_WIDTHS),
        Either(tuple(vectors(name, *widths) for name, widths in entrances)),
        NoOther("caption_projection.linear_1.weight", (_WIDTHS, _TEXT)),
        NoOther("proj_out.weight", (_LATENTS, _WIDTHS)),
        Absent("*audio_*"),
        *_NO_PATCHES,
    )


def _audio(norm: str) -> tuple[Condition, ...]:
    """Both streams, and the attention between them."""
    return (
        vectors(f"transformer_blocks.#.audio_attn1.{norm}.weight", _SMALL, below=_BLOCKS),
        vectors(f"transformer_blocks.#.attn1.{norm}.weight", _LARGE),
        vectors(f"transformer_blocks.#.audio_to_video_attn.{norm}.weight", _SMALL),
        Tensor(_AUDIO_TABLE, (None, _SMALL)),
        *_NO_PATCHES,
    )


_SIX = tuple(6 * width for width in _WIDTHS)
_ORIGINAL_ENTRANCES = (("patchify_proj.bias", _WIDTHS), ("adaln_single.linear.bias", _SIX))
_DIFFUSERS_ENTRANCES = (("proj_in.bias", _WIDTHS), ("time_embed.linear.bias", _SIX))

FAMILIES = (
    main_file(
        BaseModelType.LTX_VIDEO,
        "original",
        *_video("q_norm", *_ORIGINAL_ENTRANCES),
        traits=_SIZES,
        blocks=_FEWEST,
    ),
    main_file(
        BaseModelType.LTX_VIDEO,
        "diffusers",
        *_video("norm_q", *_DIFFUSERS_ENTRANCES),
        traits=_SIZES,
        blocks=_FEWEST,
    ),
    component(
        BaseModelType.LTX_VIDEO,
        "LTXVideoTransformer3DModel",
        Setting("cross_attention_dim", _WIDTHS),
        *where_set(
            caption_channels=_TEXT,
            in_channels=_LATENTS,
            out_channels=_LATENTS,
            attention_head_dim=(64, 128),
        ),
        traits=(
            Trait(Architecture("ltx-video-2b"), Setting("cross_attention_dim", (_SMALL,))),
            Trait(Architecture("ltx-video-13b"), Setting("cross_attention_dim", (_LARGE,))),
        ),
    ),
    Family(
        id="ltx-2/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_LTX,
        conditions=_audio("q_norm"),
        traits=_VERSIONS,
        prediction_type=SchedulerPredictionType.FLOW,
        blocks=_ALL,
        architecture="ltx-2",
    ),
    Family(
        id="ltx-2/main/diffusers",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=_LTX,
        conditions=_audio("norm_q"),
        traits=_VERSIONS,
        prediction_type=SchedulerPredictionType.FLOW,
        blocks=_ALL,
        architecture="ltx-2",
    ),
    Family(
        id="ltx-2/transformer/folder",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        bases=_LTX,
        conditions=(
            Setting("class", ("LTX2VideoTransformer3DModel",)),
            Setting("cross_attention_dim", (_LARGE,)),
            *where_set(in_channels=_LATENTS, out_channels=_LATENTS),
        ),
        traits=(
            Trait(Architecture("ltx-2-19b"), Setting("cross_attn_mod", (False,))),
            Trait(Architecture("ltx-2.3-22b"), Setting("cross_attn_mod", (True,))),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
        architecture="ltx-2",
    ),
    Family(
        id="ltx-2/transformer/sana-wm-refiner",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        candidates=(BaseModelType.LTX_VIDEO, BaseModelType.UNKNOWN),
        conditions=(Setting("class", ("SanaWMLTX2RefinerTransformer3DModel",)),),
        prediction_type=SchedulerPredictionType.FLOW,
        architecture="sana-wm-refiner",
    ),
)
"""Everything that LTX-Video and LTX-2 bring."""
