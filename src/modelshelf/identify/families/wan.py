"""Wan 2.1 and 2.2: blocks of self- and cross-attention with a table of six modulations each.

Three widths: 1536 (1.3B) and 5120 (14B, and each of 2.2's two experts) in 30 and 40 blocks, 3072
(2.2 5B) in 30. What else a model takes is in the channels of its patches and in added modules.
LongCat-Video fuses its attentions, Helios, AnyFlow and FAR embed frames or steps of their own, MOVA's
tower for sound cuts rows and not videos: none of them is loaded as Wan. Wan-Animate 2 is 2.1's
image-to-video model in blocks that are wrapped once more.

2.1's 14B and an expert of 2.2's text-to-video are equal by names and shapes, the experts for high
and low noise as well: their architecture names no version.

Sources: `wan/modules/model.py`, `vace_model.py` and `s2v/model_s2v.py` of Wan-Video/Wan2.1 and
Wan2.2; `WanTransformer3DModel` and its kin of huggingface/diffusers; VideoX-Fun of aigc-apps.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Never, Setting, Unset
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, every, patches, vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, NoOther, Some, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_WAN = (BaseModelType.WAN,)
_SMALL, _MIDDLE, _LARGE = 1536, 3072, 5120
_WIDTHS = (_SMALL, _MIDDLE, _LARGE)
_SIX = tuple(6 * width for width in _WIDTHS)
_BLOCKS, _FEWEST_BLOCKS = 40, 30

_NO_OTHER_KIND: tuple[Condition, ...] = (
    *NO_CONTROL,
    Absent("patch_short.*"),
    Absent("patch_long.*"),
    Absent("norm_out.*"),
    Absent("far_patch_embedding.*"),
    Absent("condition_embedder.delta_embedder.*"),
    Absent("blocks.#.self_attn.to_q.*"),
)

_TEXT = 4096
_LATENTS = (64, 192)
"""Sixteen channels of four pixels; 48 of the 5B model's own VAE."""

_HAS_VACE = Marker("vace_blocks.*")
_HAS_FACE = Marker("face_adapter.*")
_HAS_AUDIO = Either((Marker("casual_audio_encoder.*"), Marker("audio_injector.*")))
_HAS_CAMERA = Marker("control_adapter.*")
_HAS_LAST_FRAME = Either(
    (Marker("img_emb.emb_pos"), Marker("condition_embedder.image_embedder.pos_embed"))
)
_HAS_IMAGE = Either((Marker("img_emb.*"), Marker("condition_embedder.image_embedder.*")))
# Others' additions, such as HuMo's and MultiTalk's audio or SCAIL's poses, change what it takes.
_HAS_ADDED = Either(
    (
        _HAS_VACE,
        _HAS_FACE,
        _HAS_AUDIO,
        _HAS_CAMERA,
        _HAS_LAST_FRAME,
        Marker("audio_proj.*"),
        Marker("blocks.#.audio_cross_attn*"),
        Marker("patch_embedding_*"),
        Marker("ref_conv.*"),
    )
)


def _takes(*channels: int) -> Condition:
    return patches("patch_embedding.weight", _WIDTHS, *channels)


def _is_wide(width: int) -> Condition:
    return Either(
        (
            vectors("blocks.#.self_attn.norm_q.weight", width),
            vectors("blocks.#.attn1.norm_q.weight", width),
        )
    )


# 48 channels are Fun Control's at the widths of 2.1, and the 5B model's own latents at its width.
_IS_CONTROL = every(
    Either(
        (
            patches("patch_embedding.weight", (_SMALL, _LARGE), 48, 52),
            patches("patch_embedding.weight", (_MIDDLE,), 148),
        )
    ),
    Never(_HAS_CAMERA),
)
_IS_T2V = every(_takes(16), Never(_HAS_IMAGE), Never(_HAS_ADDED))
_IS_I2V = every(_takes(36), Never(_HAS_ADDED))

_VARIANTS = (
    Trait(ModelVariantType.VACE, _HAS_VACE),
    Trait(ModelVariantType.ANIMATE, _HAS_FACE),
    Trait(ModelVariantType.S2V, _HAS_AUDIO),
    Trait(ModelVariantType.CAMERA, _HAS_CAMERA),
    Trait(ModelVariantType.FLF2V, _HAS_LAST_FRAME),
    Trait(ModelVariantType.CONTROL, _IS_CONTROL),
    Trait(ModelVariantType.T2V, _IS_T2V),
    Trait(ModelVariantType.I2V, _IS_I2V),
)


def _named(name: str, width: int, *conditions: Condition) -> Trait:
    return Trait(Architecture(name), every(_is_wide(width), *conditions))


_ARCHITECTURES = (
    _named("wan-2.1-t2v-1.3b", _SMALL, _IS_T2V),
    _named("wan-t2v-14b", _LARGE, _IS_T2V),
    _named("wan-2.1-i2v-1.3b", _SMALL, _IS_I2V),
    _named("wan-2.1-i2v-14b", _LARGE, _IS_I2V, _HAS_IMAGE),
    _named("wan-2.2-i2v-a14b", _LARGE, _IS_I2V, Never(_HAS_IMAGE)),
    _named("wan-2.2-ti2v-5b", _MIDDLE, _takes(48), Never(_HAS_ADDED)),
    _named("wan-2.1-flf2v-14b", _LARGE, _HAS_LAST_FRAME),
    _named("wan-2.1-vace-1.3b", _SMALL, _HAS_VACE),
    _named("wan-vace-14b", _LARGE, _HAS_VACE),
    _named("wan-2.2-animate-14b", _LARGE, _HAS_FACE),
    _named("wan-2.2-s2v-14b", _LARGE, _HAS_AUDIO),
    _named("wan-2.1-fun-control-1.3b", _SMALL, _IS_CONTROL),
    _named("wan-2.1-fun-control-14b", _LARGE, _IS_CONTROL, _takes(48)),
    _named("wan-2.2-fun-control-a14b", _LARGE, _IS_CONTROL, _takes(52)),
    _named("wan-2.2-fun-control-5b", _MIDDLE, _IS_CONTROL),
    _named("wan-2.1-fun-camera-1.3b", _SMALL, _HAS_CAMERA),
    _named("wan-2.1-fun-camera-14b", _LARGE, _HAS_CAMERA, _HAS_IMAGE),
    _named("wan-2.2-fun-camera-a14b", _LARGE, _HAS_CAMERA, Never(_HAS_IMAGE)),
    _named("wan-2.2-fun-camera-5b", _MIDDLE, _HAS_CAMERA),
    _named("wan-dancer-14b", _LARGE, Marker("music_injector.*")),
    _named("wan-2.1-video-as-prompt-14b", _LARGE, Marker("blocks.#.attn1_mot_ref.*")),
)


def _sized(name: str, small: str, large: str, *conditions: Condition) -> tuple[Trait, ...]:
    """Name a kind by its heads of 128, as both sizes of 2.1 are."""
    return tuple(
        Trait(Architecture(name + size), every(Setting(field, (heads,)), *conditions))
        for size, heads in ((small, 12), (large, 40))
        if size
        for field in ("num_attention_heads", "num_heads")
    )


def _config(*values: str) -> Condition:
    return Setting("class", values)


_PLAIN = _config("WanTransformer3DModel", "SkyReelsV2Transformer3DModel", "WanModel")
_CONFIG_IMAGE = Either((Setting("image_dim"), Setting("model_type", ("i2v", "flf2v"))))
_NO_CONFIG_IMAGE = every(Unset("image_dim"), Never(Setting("model_type", ("i2v", "flf2v"))))
_CONFIG_LAST = Either((Setting("pos_embed_seq_len"), Setting("model_type", ("flf2v",))))


def _config_takes(channels: int) -> Condition:
    return Either((Setting("in_channels", (channels,)), Setting("in_dim", (channels,))))


_CONFIG_T2V = every(_PLAIN, _config_takes(16), _NO_CONFIG_IMAGE)
_CONFIG_I2V = every(
    _config(
        "WanTransformer3DModel",
        "SkyReelsV2Transformer3DModel",
        "ChronoEditTransformer3DModel",
        "WanModel",
    ),
    _config_takes(36),
    Never(_CONFIG_LAST),
)
_CONFIG_CONTROL = every(
    _PLAIN,
    Either((_config_takes(48), _config_takes(52))),
    Never(Setting("num_attention_heads", (24,))),
    Never(Setting("dim", (_MIDDLE,))),
)
_CONFIG_VACE = _config("WanVACETransformer3DModel", "VaceWanModel")
_CONFIG_ANIMATE = _config("WanAnimateTransformer3DModel", "WanAnimateModel")

_ANIMATE_2 = "wan-2.2-animate-2-14b"


_JOINTS = (
    NoOther("text_embedding.0.weight", (_WIDTHS, _TEXT)),
    NoOther("head.head.weight", (_LATENTS, _WIDTHS)),
)
"""What comes from the text encoder and goes to the VAE."""


def _animate_2(layout: str, query: str, image: str) -> Family:
    """Wan-Animate 2 as a file.

    Args:
        layout: Whose names the file follows.
        query: The bias behind which a block keeps what it asks itself for.
        image: The norm of what a block is told of the image.
    """
    anchors = (
        vectors(query, _LARGE, below=_BLOCKS),
        vectors(image, _LARGE),
        Tensor("head.modulation", (1, 2, _LARGE)),
    )
    return main_file(
        BaseModelType.WAN,
        layout,
        *anchors,
        *_JOINTS,
        *NO_CONTROL,
        architecture=_ANIMATE_2,
        traits=(Trait(ModelVariantType.ANIMATE, anchors[0]),),
        blocks=(("blocks", _BLOCKS),),
    )


FAMILIES = (
    main_file(
        BaseModelType.WAN,
        "original",
        Tensor("blocks.#.modulation", (1, 6, None), rank=3),
        vectors("blocks.#.self_attn.norm_q.weight", *_WIDTHS, below=_BLOCKS),
        vectors("blocks.#.cross_attn.norm_k.weight", *_WIDTHS),
        Either(
            (
                Tensor("head.modulation", (1, 2, _WIDTHS)),
                vectors("time_projection.#.bias", *_SIX),
                vectors("text_embedding.#.bias", *_WIDTHS),
            )
        ),
        *_JOINTS,
        *_NO_OTHER_KIND,
        Never(Some("patch_embedding.weight", (None, None, None))),
        traits=(*_VARIANTS, *_ARCHITECTURES),
        blocks=(("blocks", _FEWEST_BLOCKS),),
    ),
    _animate_2(
        "animate-2-original",
        "blocks.#.block.self_attn.q.bias",
        "blocks.#.block.cross_attn.norm_k_img.weight",
    ),
    _animate_2(
        "animate-2-diffusers",
        "blocks.#.self_attn.to_q.bias",
        "blocks.#.cross_attn.norm_added_k.weight",
    ),
    main_file(
        BaseModelType.WAN,
        "diffusers",
        Tensor("blocks.#.scale_shift_table", (1, 6, None), rank=3),
        vectors("blocks.#.attn1.norm_q.weight", *_WIDTHS, below=_BLOCKS),
        vectors("blocks.#.attn2.norm_k.weight", *_WIDTHS),
        Either(
            (
                Tensor("scale_shift_table", (1, 2, _WIDTHS)),
                vectors("condition_embedder.time_proj.bias", *_SIX),
                vectors("condition_embedder.text_embedder.linear_2.bias", *_WIDTHS),
            )
        ),
        NoOther("condition_embedder.text_embedder.linear_1.weight", (_WIDTHS, _TEXT)),
        NoOther("proj_out.weight", (_LATENTS, _WIDTHS)),
        *_NO_OTHER_KIND,
        traits=(*_VARIANTS, *_ARCHITECTURES),
        blocks=(("blocks", _FEWEST_BLOCKS),),
    ),
    component(
        BaseModelType.WAN,
        "WanAnimate2Transformer3DModel",
        architecture=_ANIMATE_2,
        traits=(Trait(ModelVariantType.ANIMATE, _config("WanAnimate2Transformer3DModel")),),
        kind="animate-2",
    ),
    Family(
        id="wan/transformer/folder",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        bases=_WAN,
        conditions=(
            _config(
                "WanTransformer3DModel",
                "WanVACETransformer3DModel",
                "WanAnimateTransformer3DModel",
                "SkyReelsV2Transformer3DModel",
                "ChronoEditTransformer3DModel",
                "WanModel",
                "VaceWanModel",
                "WanAnimateModel",
                "WanModel_S2V",
            ),
            Either(
                (
                    Setting("num_attention_heads", (12, 24, 40)),
                    Setting("dim", _WIDTHS),
                )
            ),
            # diffusers' word, and the original's.
            *where_set(
                text_dim=_TEXT, out_channels=(16, 48), out_dim=(16, 48), attention_head_dim=128
            ),
        ),
        traits=(
            Trait(ModelVariantType.VACE, _CONFIG_VACE),
            Trait(ModelVariantType.ANIMATE, _CONFIG_ANIMATE),
            Trait(ModelVariantType.S2V, _config("WanModel_S2V")),
            Trait(ModelVariantType.FLF2V, every(_PLAIN, _CONFIG_LAST)),
            Trait(ModelVariantType.CONTROL, _CONFIG_CONTROL),
            Trait(ModelVariantType.T2V, _CONFIG_T2V),
            Trait(ModelVariantType.I2V, _CONFIG_I2V),
            *_sized("wan-2.1-t2v-", "1.3b", "", _CONFIG_T2V),
            *_sized("wan-t2v-", "", "14b", _CONFIG_T2V),
            *_sized("wan-2.1-i2v-", "1.3b", "14b", _CONFIG_I2V, _CONFIG_IMAGE),
            *_sized("wan-2.2-i2v-a", "", "14b", _CONFIG_I2V, _NO_CONFIG_IMAGE),
            *_sized("wan-2.1-flf2v-", "", "14b", _PLAIN, _CONFIG_LAST),
            *_sized("wan-2.1-fun-control-", "1.3b", "14b", _CONFIG_CONTROL, _config_takes(48)),
            *_sized("wan-2.2-fun-control-a", "", "14b", _CONFIG_CONTROL, _config_takes(52)),
            *_sized("wan-2.1-vace-", "1.3b", "", _CONFIG_VACE),
            *_sized("wan-vace-", "", "14b", _CONFIG_VACE),
            *_sized("wan-2.2-animate-", "", "14b", _CONFIG_ANIMATE),
            *_sized("wan-2.2-s2v-", "", "14b", _config("WanModel_S2V")),
            Trait(
                Architecture("wan-2.2-ti2v-5b"),
                every(
                    _PLAIN,
                    Either((Setting("num_attention_heads", (24,)), Setting("dim", (_MIDDLE,)))),
                    _config_takes(48),
                ),
            ),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
    ),
)
"""Everything that Wan brings."""
