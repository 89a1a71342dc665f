"""IP-Adapters beyond the plain ones: of faces, of other encoders and of other bases.

What the keys take is the width of the base's text, how many there are counts its attentions; where
Kolors and SDXL share both, the encoder of images tells.

Sources: tencent-ailab/IP-Adapter, Kwai-Kolors/Kolors (`ipadapter`), instantX-research/InstantID and the
IP-Adapters of FLUX.1 and SD 3.5 by InstantX.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Either, Never
from modelshelf.identify.families.unet import CHANNELS
from modelshelf.identify.family import Detail, Family
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_KEYS, _VALUES = "ip_adapter.#.to_k_ip.weight", "ip_adapter.#.to_v_ip.weight"
_FACE = 512
_KOLORS_ENCODER = 1024
_SDXL_TEXT, _SDXL_ATTENTIONS = 2048, 70


def _adapter(
    id_: str,
    base: BaseModelType,
    *conditions: Condition,
    kind: str = "",
    special_case_of: tuple[str, ...] = (),
) -> Family:
    return Family(
        id=id_,
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        details=(Detail("kind", kind),) if kind else (),
        special_case_of=special_case_of,
    )


_SDXL_KEYS: tuple[Condition, ...] = (
    Tensor(_KEYS, (CHANNELS, _SDXL_TEXT), count=_SDXL_ATTENTIONS, below=140),
    Tensor(_VALUES, (CHANNELS, _SDXL_TEXT), count=_SDXL_ATTENTIONS),
)


def _of_another_width(context: int, attentions: int, *bases: BaseModelType) -> Family:
    """Keys and values for as many attentions of other channels: somebody made the UNet smaller.

    Args:
        context: Width of the text.
        attentions: How many read it.
        *bases: Whose UNet reads such text in as many places.
    """
    return Family(
        id=f"{bases[0]}/ip-adapter/of-another-width",
        type=ModelType.IP_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        candidates=(*bases, BaseModelType.UNKNOWN),
        conditions=(
            Tensor(_KEYS, (None, context), count=attentions, below=2 * attentions),
            Tensor(_VALUES, (None, context), count=attentions),
            Never(Tensor(_KEYS, (CHANNELS,))),
        ),
    )


FAMILIES = (
    _adapter(
        "sdxl/ip-adapter/face",
        BaseModelType.SDXL,
        *_SDXL_KEYS,
        Either(
            (
                # A face as 512 numbers: alone, through a resampler, or beside CLIP's H.
                Both(
                    Tensor("image_proj.proj.0.weight", (None, _FACE)),
                    # Beside another encoder it is Kolors'.
                    Absent("image_proj.perceiver_resampler.*"),
                ),
                Tensor("image_proj.proj_in.weight", (None, _FACE)),
                Tensor("image_proj.perceiver_resampler.proj_in.weight", (None, 1280)),
            )
        ),
        kind="face",
    ),
    _adapter(
        "kolors/ip-adapter",
        BaseModelType.KOLORS,
        *_SDXL_KEYS,
        # CLIP L in 336 pixels, where SDXL's take H or G.
        Either(
            (
                Tensor("image_proj.proj_in.weight", (None, _KOLORS_ENCODER)),
                Tensor("image_proj.perceiver_resampler.proj_in.weight", (None, _KOLORS_ENCODER)),
            )
        ),
        # Its adapter of faces takes them as 512 numbers as well.
        special_case_of=("sdxl/ip-adapter/face",),
    ),
    _adapter(
        "flux/ip-adapter/instantx",
        BaseModelType.FLUX,
        Tensor(_KEYS, (3072, 4096), count=57, below=57),
        Tensor(_VALUES, (3072, 4096), count=57),
    ),
    _adapter(
        "sd-3/ip-adapter/instantx",
        BaseModelType.SD_3,
        Tensor(_KEYS, (2432, 2432), count=38, below=38),
        Tensor(_VALUES, (2432, 2432), count=38),
    ),
    _of_another_width(768, 16, BaseModelType.SD_1),
    _of_another_width(1024, 16, BaseModelType.SD_2),
    _of_another_width(_SDXL_TEXT, _SDXL_ATTENTIONS, BaseModelType.SDXL, BaseModelType.KOLORS),
)
"""What the bases' own modules do not hold."""
