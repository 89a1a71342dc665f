"""Textual inversions: rows as wide as the text encoder that reads them, under a token's name.

A few small tensors are not enough: the name, or the pair of encoders, must say what they are.

Sources: `modules/textual_inversion` of AUTOMATIC1111/stable-diffusion-webui,
`examples/textual_inversion` and `examples/advanced_diffusion_training` of huggingface/diffusers,
`train_textual_inversion.py` of kohya-ss/sd-scripts.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.family import Family
from modelshelf.identify.network import Tokens
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_WIDTHS = ((BaseModelType.SD_1, 768), (BaseModelType.SD_2, 1024))


def _embedding(id_: str, base: BaseModelType | None, *conditions: Condition) -> Family:
    return Family(
        id=id_,
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=(base,) if base else (),
        conditions=conditions,
    )


FAMILIES = (
    *(
        _embedding(
            f"{base}/embedding/a1111",
            base,
            Either(
                (
                    # A1111 writes a star, whatever the token is called; its trainer's own files the token.
                    Tensor("string_to_param.*", (None, width), rank=2),
                    Tokens(width, least=1, within="string_to_param"),
                )
            ),
        )
        for base, width in _WIDTHS
    ),
    *(
        _embedding(f"{base}/embedding/several-tokens", base, Tokens(width))
        for base, width in _WIDTHS
    ),
    # T5 reads rows of 4096 for FLUX, SD 3, PixArt and DeepFloyd alike.
    _embedding("t5/embedding/tokens", None, Tokens(4096, least=1)),
    _embedding(
        "sdxl/embedding/numbered-encoders",
        BaseModelType.SDXL,
        Tensor("text_encoders_0", (None, 768), rank=2),
        Tensor("text_encoders_1", (None, 1280), rank=2),
        Absent("text_encoders_2"),
    ),
)
"""What the bases' own modules do not hold."""
