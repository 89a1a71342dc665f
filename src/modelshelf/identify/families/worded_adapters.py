"""Adapters of denoisers without a base that have all that adapters of a base change: words tell them apart.

Some were made of a base: Helios and AnyFlow of Wan, ConsisID of CogVideoX, ModelScope's video UNet and
I2VGen-XL of SD 2. Others have the same attentions by chance: Sana-Video and SANA-WM those of Sana 1.6B,
EasyAnimate those of Mochi and CogVideoX, half of Latte those of PixArt and Sana 0.6B. An adapter of such
attentions alone is taken for one of the base, which nearly everybody adapts, unless its metadata, what lies
beside it or its own name says a model without a base. What the base has alone, no words take away.

Sources: `transformer_sana_video.py`, `transformer_helios.py`, `consisid_transformer_3d.py`,
`transformer_easyanimate.py`, `latte_transformer_3d.py`, `unet_3d_condition.py` and `unet_i2vgen_xl.py` of
huggingface/diffusers with the published configurations.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.families import image_adapters, unet_adapters, video_adapters, wan_adapters
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
from modelshelf.identify.family import Family
from modelshelf.identify.host import Fits, Host
from modelshelf.identify.saying import Says
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_KNOWN = (
    *image_adapters.FAMILIES,
    *unet_adapters.FAMILIES,
    *video_adapters.FAMILIES,
    *wan_adapters.FAMILIES,
)
_SHARED = (
    "cogvideox/lora/5b",
    "mochi/lora/diffusers",
    "pixart/lora/diffusers",
    "sana/lora/0.6b-diffusers",
    "sana/lora/1.6b-original",
    "sd-2/lora/diffusers",
    "wan/lora/1.3b-diffusers",
    "wan/lora/1.3b-original",
    "wan/lora/14b-diffusers",
    "wan/lora/14b-original",
)
"""Families of which a denoiser without a base has all modules, or those that are adapted."""
_SANA_VIDEO = Host(
    "sana-video",
    """
    patch_embedding  16 w 1x2x2
    time_embed.emb.timestep_embedder.linear_1  256 w
    time_embed.emb.timestep_embedder.linear_2  w w
    time_embed.linear  w 6w
    caption_projection.linear_1  2304 w
    caption_projection.linear_2  w w
    caption_norm  w
    transformer_blocks.{20}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{20}.(attn1|attn2).(norm_q|norm_k)  w
    transformer_blocks.{20}.ff.(conv_inverted|conv_depth|conv_point|conv_temp)
    transformer_blocks.{20}.scale_shift_table
    scale_shift_table
    proj_out  w 64
    """,
    {"w": 2240},
)


def _worded(
    name: str, rivals: tuple[str, ...], *conditions: Condition, architecture: str = ""
) -> Family:
    return Family(
        id=f"other/lora/{name}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=(BaseModelType.UNKNOWN,),
        conditions=conditions,
        special_case_of=rivals,
        traits=DIFFUSERS_FORMAT,
        architecture=architecture,
        is_one_of_several=True,
    )


def _hosts_of(family: Family) -> Iterator[Host]:
    return (one.host for one in family.conditions if isinstance(one, Fits))


def _shared(family: Family) -> Family:
    """Adapters that fit the host of *family*, and whose words name a model without a base."""
    (host,) = _hosts_of(family)
    rivals = tuple(one.id for one in _KNOWN if host in _hosts_of(one))
    # Whether it fits is known from the family of the base.
    return _worded(f"named-beside-{host.id}", rivals, Fits(host), Says(BaseModelType.UNKNOWN))


FAMILIES = (
    _worded(
        _SANA_VIDEO.id,
        ("sana/lora/1.6b-diffusers", "sana/lora/4.8b-diffusers"),
        # Sana makes no videos, so that a convolution over time is not its.
        Either((Says(BaseModelType.UNKNOWN), Adapts("denoiser:transformer_blocks_#_ff_conv_temp"))),
        Fits(_SANA_VIDEO),
        architecture=_SANA_VIDEO.id,
    ),
    *map(_shared, (one for one in _KNOWN if one.id in _SHARED)),
)
"""One per denoiser with a base that others without one look like, and Sana-Video's own."""
