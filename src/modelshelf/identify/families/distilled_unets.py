"""UNets cut out of SD 1, SD 2 and SDXL and trained again: fewer blocks, the same text and VAE.

They work where their base works, adapters of the base do not fit them: the base, and an
architecture. Published ones: SSD-1B, Segmind Vega, KOALA (1B, 700M), BK-SDM and its copies (base,
small, tiny), SDXS (1.0 of SD 1, 0.9 of SD 2). Sources: their configurations; the LDM names, and what
tells SDXS 0.9, of leejet/stable-diffusion.cpp (`get_sd_version`).
"""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.condition import Both, Condition, Either, Never, Setting, Unset
from modelshelf.identify.families.unet import (
    as_wide,
    diffusers_variants,
    ldm_variants,
    unet_diffusers,
    unet_ldm,
)
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]


@dataclass(frozen=True, slots=True)
class _Cut:
    """One published cut."""

    name: str
    base: BaseModelType
    context: int
    blocks: tuple[int, int, int]
    """Cross-attentions on the way down, in the middle, and on the way up."""
    label: int = 0
    """Width of the label, 0 without one."""
    levels: int = 3
    """Levels of the UNet; BK-SDM small and tiny differ in nothing else that has a name."""
    reading_twice: str = ""
    """What the same cut is called whose first attentions read the text too; empty where none is published."""


_SD_1, _SD_2, _SDXL = BaseModelType.SD_1, BaseModelType.SD_2, BaseModelType.SDXL
_CUTS = (
    _Cut("ssd-1b", _SDXL, 2048, (12, 0, 22), label=2816),
    _Cut("segmind-vega", _SDXL, 2048, (6, 0, 9), label=2816),
    _Cut("koala-1b", _SDXL, 2048, (8, 6, 16), label=2816),
    _Cut("koala-700m", _SDXL, 2048, (7, 0, 14), label=2816),
    _Cut("bk-sdm-base", _SD_1, 768, (3, 1, 6), levels=4),
    _Cut("bk-sdm-small", _SD_1, 768, (3, 0, 6), levels=4),
    _Cut("bk-sdm-tiny", _SD_1, 768, (3, 0, 6)),
    _Cut("bk-sdm-v2-base", _SD_2, 1024, (3, 1, 6), levels=4),
    _Cut("bk-sdm-v2-small", _SD_2, 1024, (3, 0, 6), levels=4),
    _Cut("bk-sdm-v2-tiny", _SD_2, 1024, (3, 0, 6), reading_twice="sdxs-0.9"),
    _Cut("sdxs", _SD_1, 768, (2, 0, 4)),
    _Cut("sdxs-v2", _SD_2, 1024, (2, 0, 4)),
)
# None was cut across: small models that people train for themselves have as many blocks of fewer channels.
_WIDTH = 320
_WIDTHS = [_WIDTH, 640, 1280, 1280]


def _label(layer: str, width: int) -> Condition:
    return Tensor(f"{layer}.weight", (None, width)) if width else Absent(f"{layer}.weight")


def _reading_twice(cut: _Cut, blocks: str) -> tuple[Trait, ...]:
    if not cut.reading_twice:
        return ()
    first = Tensor(f"{blocks}.transformer_blocks.#.attn1.to_k.weight", (None, cut.context))
    return (Trait(Architecture(cut.reading_twice), first),)


def _ldm(cut: _Cut) -> Family:
    # The fourth level has no attention. Converters number blocks as if every level had two.
    fourth = Either(
        (
            Tensor("input_blocks.10.0.in_layers.0.weight"),
            Both(
                Tensor("input_blocks.7.0.in_layers.0.weight"),
                Never(Tensor("input_blocks.7.1.transformer_blocks.0.attn2.to_k.weight")),
            ),
        )
    )
    return Family(
        id=f"{cut.base}/main/ldm-{cut.name}",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        bases=(cut.base,),
        conditions=(
            *unet_ldm(cut.context, cut.blocks),
            Tensor("input_blocks.0.0.weight", (_WIDTH,)),
            _label("label_emb.0.0", cut.label),
            *(() if cut.label else (_has(fourth, cut.levels),)),
        ),
        architecture=cut.name,
        traits=(*ldm_variants(), *_reading_twice(cut, "input_blocks.#.#")),
    )


def _diffusers(cut: _Cut) -> Family:
    fourth = Tensor("down_blocks.3.resnets.0.norm1.weight")
    return Family(
        id=f"{cut.base}/main/diffusers-{cut.name}",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=(cut.base,),
        conditions=(
            *unet_diffusers(cut.context, cut.blocks),
            Tensor("conv_in.weight", (_WIDTH,)),
            _label("add_embedding.linear_1", cut.label),
            *(() if cut.label else (_has(fourth, cut.levels),)),
        ),
        architecture=cut.name,
        traits=(*diffusers_variants(), *_reading_twice(cut, "down_blocks.#.attentions.#")),
    )


def _has(fourth: Condition, levels: int) -> Condition:
    return fourth if levels > 3 else Never(fourth)  # noqa: PLR2004 -- the fourth


def _folder(
    base: BaseModelType, name: str, *conditions: Condition, traits: tuple[Trait, ...] = ()
) -> Family:
    return Family(
        id=f"{base}/unet/folder-{name}",
        type=ModelType.UNET,
        format=ModelFormat.DIFFUSERS,
        bases=(base,),
        conditions=(
            Setting("class", ("UNet2DConditionModel",)),
            *conditions,
            Unset("encoder_hid_dim_type"),
        ),
        architecture=name,
        traits=traits,
    )


_SDXL_LABEL = (
    Setting("cross_attention_dim", (2048,)),
    Setting("projection_class_embeddings_input_dim", (2816,)),
    as_wide(_WIDTHS[:3]),
)
_BLOCK, _ATTENTION = "DownBlock2D", "CrossAttnDownBlock2D"
_FOUR, _THREE = [_ATTENTION] * 3 + [_BLOCK], [_ATTENTION] * 3
_SDXS = [_BLOCK, _ATTENTION, _ATTENTION]
_SDXS_0_9 = (Trait(Architecture("sdxs-0.9"), Setting("only_cross_attention", (True,))),)


def _bare(name: str) -> tuple[Trait, ...]:
    return (Trait(Architecture(name), Unset("mid_block_type")),)


FAMILIES = (
    *(_ldm(cut) for cut in _CUTS),
    *(_diffusers(cut) for cut in _CUTS),
    _folder(
        _SDXL,
        "ssd-1b",
        *_SDXL_LABEL,
        Setting("transformer_layers_per_block", ([1, 2, 4], [0, 2, 4], [1, [2, 2], [4, 4]])),
    ),
    _folder(
        _SDXL,
        "segmind-vega",
        *_SDXL_LABEL,
        Setting("transformer_layers_per_block", ([1, 1, 2], [0, 1, 2], [1, [1, 1], [2, 2]])),
    ),
    _folder(
        _SDXL,
        "koala-1b",
        *_SDXL_LABEL,
        Setting("transformer_layers_per_block", ([0, 2, 6], [1, 2, 6])),
    ),
    _folder(
        _SDXL,
        "koala-700m",
        *_SDXL_LABEL,
        Setting("transformer_layers_per_block", ([0, 2, 5], [1, 2, 5])),
    ),
    *(
        _folder(
            base,
            name,
            Setting("cross_attention_dim", (context,)),
            Setting("layers_per_block", (1,)),
            Setting("down_block_types", (levels,)),
            as_wide(_WIDTHS[: len(levels)]),
            Unset("addition_embed_type"),
            traits=traits,
        )
        for base, context, levels, name, traits in (
            (_SD_1, 768, _FOUR, "bk-sdm-base", _bare("bk-sdm-small")),
            (_SD_1, 768, _THREE, "bk-sdm-tiny", ()),
            (_SD_1, 768, _SDXS, "sdxs", ()),
            (_SD_2, 1024, _FOUR, "bk-sdm-v2-base", _bare("bk-sdm-v2-small")),
            (_SD_2, 1024, _THREE, "bk-sdm-v2-tiny", _SDXS_0_9),
            (_SD_2, 1024, _SDXS, "sdxs-v2", ()),
        )
    ),
)
"""Every published cut, in each way of naming and as a folder."""
