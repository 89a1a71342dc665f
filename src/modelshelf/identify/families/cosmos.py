"""Cosmos 1, Predict2 and Predict2.5: three modulations of a low rank per block, heads of 128.

Cosmos 1 is 4096 or 5120 wide, learns its positions and numbers its blocks in words; Predict2 is 2048
or 5120 wide, its smallest 1280 with heads of 64. Both take a padding mask beside 16 channels, and one
channel more for given frames.
Anima is Predict2's 2B with an adapter for its own text encoder. Transfer2.5 in NVIDIA's names is all of
Predict2.5 and four blocks that read a control beside it; in diffusers' these are a ControlNet apart.

Sources: `cosmos1/models/diffusion` of nvidia-cosmos/cosmos-predict1, `cosmos_predict2/networks` of
nvidia-cosmos/cosmos-predict2, `CosmosTransformer3DModel` and `scripts/convert_cosmos_to_diffusers.py` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Never, Setting, Unset
from modelshelf.identify.families.anima import IN_ANIMA
from modelshelf.identify.families.denoiser import component, main_file, where_set
from modelshelf.identify.families.video import NO_CONTROL, every, vectors
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["FAMILIES"]

_COSMOS = (BaseModelType.COSMOS,)
_SMALLEST, _SMALL, _MIDDLE, _LARGE = 1280, 2048, 4096, 5120
_WIDTHS = (_SMALLEST, _SMALL, _MIDDLE, _LARGE)
_HEAD_SIZES, _BLOCKS, _FEWEST_BLOCKS = (64, 128), 36, 20
_HEADS = (("cosmos-predict2-0.6b", 20), ("cosmos-predict2-2b", 16), ("cosmos-predict2-14b", 40))
# Patches of 1 x 2 x 2 of 16 channels and a mask; of one channel more where frames are given.
_TEXT_INPUTS, _VIDEO_INPUTS = 4 * (16 + 1), 4 * (16 + 1 + 1)

_NO_ANIMA: tuple[Condition, ...] = (Absent("*llm_adapter.*"), *NO_CONTROL)
_NO_PROJECTION = Absent("crossattn_proj.*")


def _first_of(*names: str) -> Condition:
    # The first blocks of Cosmos 1 stand for all: their numbers are words, which folding leaves.
    return Either(tuple(Marker(name) for name in names))


_HAS_COSMOS_1 = tuple(
    _first_of(*(f"blocks.block{number}.blocks.#.{name}" for number in range(4)))
    for name in ("adaLN_modulation.#.weight", "block.attn.to_q.#.weight", "block.layer1.weight")
)


def _named(name: str, norm: str, width: int, *conditions: Condition) -> Trait:
    return Trait(Architecture(name), every(vectors(norm, width), *conditions))


# Predict2 without given frames makes images; with them, video goes on. 2.5 does both by one model.
_PREDICT_2_I2V = Trait(
    ModelVariantType.I2V,
    every(Tensor("x_embedder.proj.#.weight", (None, _VIDEO_INPUTS)), _NO_PROJECTION),
)

_PREDICT_2: tuple[Condition, ...] = (
    vectors("blocks.#.self_attn.q_norm.weight", *_HEAD_SIZES, below=_BLOCKS),
    vectors("blocks.#.cross_attn.k_norm.weight", *_HEAD_SIZES),
    Tensor("blocks.#.adaln_modulation_cross_attn.#.weight"),
    Tensor("blocks.#.mlp.layer1.weight"),
    Either(
        (
            vectors("t_embedding_norm.weight", *_WIDTHS),
            Tensor("x_embedder.proj.#.weight", (_WIDTHS, (_TEXT_INPUTS, _VIDEO_INPUTS))),
        )
    ),
)

FAMILIES = (
    Family(
        id="cosmos-1/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_COSMOS,
        conditions=(
            *_HAS_COSMOS_1,
            Either(
                (
                    vectors("affline_norm.weight", _MIDDLE, _LARGE),
                    Tensor("extra_pos_embedder.pos_emb_h", (None, (_MIDDLE, _LARGE))),
                )
            ),
            *NO_CONTROL,
        ),
        traits=(
            Trait(ModelVariantType.T2V, Tensor("x_embedder.proj.#.weight", (None, _TEXT_INPUTS))),
            Trait(ModelVariantType.I2V, Tensor("x_embedder.proj.#.weight", (None, _VIDEO_INPUTS))),
            _named("cosmos-1-7b", "affline_norm.weight", _MIDDLE),
            _named("cosmos-1-14b", "affline_norm.weight", _LARGE),
        ),
        # EDM's preconditioning; nothing in the file says so, and Predict2 changed it.
    ),
    Family(
        id="cosmos-2/main/original",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_COSMOS,
        conditions=(*_PREDICT_2, *_NO_ANIMA),
        traits=(
            _PREDICT_2_I2V,
            _named("cosmos-predict2-0.6b", "t_embedding_norm.weight", _SMALLEST),
            _named("cosmos-predict2-2b", "t_embedding_norm.weight", _SMALL, _NO_PROJECTION),
            _named("cosmos-predict2-14b", "t_embedding_norm.weight", _LARGE, _NO_PROJECTION),
            Trait(Architecture("cosmos-predict2.5"), Marker("crossattn_proj.*")),
        ),
        prediction_type=SchedulerPredictionType.FLOW,
        blocks=(("blocks", _FEWEST_BLOCKS),),
    ),
    Family(
        id="cosmos-2.5/main/transfer",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=_COSMOS,
        conditions=(
            *_PREDICT_2,
            vectors("control_blocks.#.self_attn.q_norm.weight", *_HEAD_SIZES),
            Tensor("control_blocks.#.after_proj.weight"),
            Tensor("control_embedder.proj.#.weight"),
            Absent("*llm_adapter.*"),
        ),
        traits=(Trait(ModelVariantType.CONTROL, Marker("control_embedder.*")),),
        architecture="cosmos-transfer2.5",
        prediction_type=SchedulerPredictionType.FLOW,
        blocks=(("blocks", _FEWEST_BLOCKS),),
    ),
    main_file(
        BaseModelType.COSMOS,
        "diffusers",
        vectors("transformer_blocks.#.attn1.norm_q.weight", *_HEAD_SIZES, below=_BLOCKS),
        vectors("transformer_blocks.#.attn2.norm_k.weight", *_HEAD_SIZES),
        Tensor("transformer_blocks.#.norm3.linear_1.weight"),
        Tensor("transformer_blocks.#.norm3.linear_2.weight"),
        Either(
            (
                vectors("time_embed.norm.weight", *_WIDTHS),
                Tensor("patch_embed.proj.weight", (_WIDTHS, (_TEXT_INPUTS, _VIDEO_INPUTS))),
            )
        ),
        *_NO_ANIMA,
        traits=(
            Trait(
                ModelVariantType.T2V,
                every(
                    Tensor("patch_embed.proj.weight", (None, _TEXT_INPUTS)),
                    Marker("learnable_pos_embed.*"),
                ),
            ),
            Trait(
                ModelVariantType.I2V,
                every(Tensor("patch_embed.proj.weight", (None, _VIDEO_INPUTS)), _NO_PROJECTION),
            ),
            _named("cosmos-1-7b", "time_embed.norm.weight", _MIDDLE),
            _named(
                "cosmos-1-14b", "time_embed.norm.weight", _LARGE, Marker("learnable_pos_embed.*")
            ),
            _named("cosmos-predict2-0.6b", "time_embed.norm.weight", _SMALLEST),
            _named("cosmos-predict2-2b", "time_embed.norm.weight", _SMALL, _NO_PROJECTION),
            _named(
                "cosmos-predict2-14b",
                "time_embed.norm.weight",
                _LARGE,
                Absent("learnable_pos_embed.*"),
                _NO_PROJECTION,
            ),
            Trait(Architecture("cosmos-predict2.5"), Marker("crossattn_proj.*")),
            Trait(
                SchedulerPredictionType.FLOW,
                every(Tensor("time_embed.norm.weight"), Absent("learnable_pos_embed.*")),
            ),
        ),
        prediction=None,
        blocks=(("transformer_blocks", _FEWEST_BLOCKS),),
    ),
    component(
        BaseModelType.COSMOS,
        "CosmosTransformer3DModel",
        Never(IN_ANIMA),
        Setting("num_attention_heads", (16, 20, 32, 40)),
        Setting("in_channels", (16, 17)),
        Setting("adaln_lora_dim", (256,)),
        *where_set(text_embed_dim=1024, out_channels=16, attention_head_dim=(64, 128)),
        traits=(
            Trait(
                ModelVariantType.T2V,
                every(
                    Setting("in_channels", (16,)), Setting("extra_pos_embed_type", ("learnable",))
                ),
            ),
            Trait(
                ModelVariantType.I2V,
                every(
                    Setting("in_channels", (17,)),
                    Never(Setting("use_crossattn_projection", (True,))),
                ),
            ),
            Trait(Architecture("cosmos-1-7b"), Setting("num_attention_heads", (32,))),
            Trait(
                Architecture("cosmos-1-14b"),
                every(
                    Setting("num_attention_heads", (40,)),
                    Setting("extra_pos_embed_type", ("learnable",)),
                ),
            ),
            *(
                Trait(
                    Architecture(name),
                    every(
                        Setting("num_attention_heads", (heads,)),
                        Unset("extra_pos_embed_type"),
                        Never(Setting("use_crossattn_projection", (True,))),
                    ),
                )
                for name, heads in _HEADS
            ),
            Trait(SchedulerPredictionType.FLOW, Unset("extra_pos_embed_type")),
            Trait(Architecture("cosmos-predict2.5"), Setting("use_crossattn_projection", (True,))),
        ),
        prediction=None,
    ),
)
"""Everything that Cosmos brings."""
