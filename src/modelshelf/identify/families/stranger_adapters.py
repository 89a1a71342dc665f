"""Adapters of denoisers that have every module of FLUX.1's under the same name, and fewer of them.

LongCat-Image and Ovis-Image have no base here and read other text than FLUX.1. An adapter that ends
where both of their stacks end, in most of their blocks, is theirs: whoever adapts FLUX.1 goes on. FIBO
ends where Flex.1 and FLUX.1 lite end, which are FLUX.1 cut short, so either may be meant.

Sources: `transformer_longcat_image.py`, `transformer_ovis_image.py` and `transformer_bria_fibo.py` of
huggingface/diffusers with the published configurations.
"""

from __future__ import annotations

from modelshelf.identify.condition import Never
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
from modelshelf.identify.families.text_encoder_adapters import FIRST_CLIP_L
from modelshelf.identify.family import Family
from modelshelf.identify.host import Spans
from modelshelf.identify.tensor_condition import Adapts
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_DOUBLE, _SINGLE = "transformer_blocks_#_*", "single_transformer_blocks_#_*"
_RIVALS = tuple(
    f"{base}/lora/{rule}"
    for base, rules in (
        ("flux", ("diffusers", "diffusers-whole")),
        ("chroma", ("diffusers",)),
        ("hunyuan-video", ("diffusers",)),
        ("framepack", ("diffusers",)),
    )
    for rule in rules
)


def _stranger(
    name: str, double: int, single: int, candidates: tuple[BaseModelType, ...] = ()
) -> Family:
    return Family(
        id=f"other/lora/{name}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=candidates,
        conditions=(
            Spans(f"denoiser:{_DOUBLE}", double),
            Spans(f"denoiser:{_SINGLE}", single),
            Adapts(f"denoiser:{_DOUBLE}", below=double),
            # HunyuanVideo-1.5 and its kin are narrower.
            Adapts("denoiser:transformer_blocks_#_attn_to_q", inputs=3072, outputs=3072),
            Never(FIRST_CLIP_L),
        ),
        traits=DIFFUSERS_FORMAT,
        architecture="" if candidates else name,
        special_case_of=_RIVALS,
        is_one_of_several=True,
    )


FAMILIES = (
    _stranger("longcat-image", 10, 20),
    _stranger("ovis-image", 6, 27),
    _stranger("bria-fibo", 8, 38, (BaseModelType.FLUX, BaseModelType.UNKNOWN)),
)
"""One per denoiser."""
