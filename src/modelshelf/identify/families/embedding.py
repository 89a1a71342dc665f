"""Textual inversions: rows as wide as the text encoder that reads them, under a token's name.

A few small tensors are not enough: the name, or the pair of encoders, must say what they are.

Sources: `modules/textual_inversion` of AUTOMATIC1111/stable-diffusion-webui,
`examples/textual_inversion` and `examples/advanced_diffusion_training` of huggingface/diffusers,
`train_textual_inversion.py` of kohya-ss/sd-scripts, `modules/modelSaver` of Nerogar/OneTrainer, which names
the rows after the encoders that read them.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.family import Family
from modelshelf.identify.network import Only, Tokens
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_CLIP_L, _CLIP_G = Tensor("clip_l", (None, 768), rank=2), Tensor("clip_g", (None, 1280), rank=2)
_T5, _LLAMA = Tensor("t5", (None, 4096), rank=2), Tensor("llama", (None, 4096), rank=2)
_WIDTHS = ((BaseModelType.SD_1, 768), (BaseModelType.SD_2, 1024))


def _embedding(
    id_: str,
    base: BaseModelType | None,
    *conditions: Condition,
    special_case_of: tuple[str, ...] = (),
) -> Family:
    return Family(
        id=id_,
        type=ModelType.EMBEDDING,
        format=ModelFormat.EMBEDDING_FILE,
        bases=(base,) if base else (),
        conditions=conditions,
        special_case_of=special_case_of,
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
    _embedding(
        "sd-3/embedding/numbered-encoders",
        BaseModelType.SD_3,
        Tensor("text_encoders_0", (None, 768), rank=2),
        Tensor("text_encoders_1", (None, 1280), rank=2),
        Tensor("text_encoders_2", (None, 4096), rank=2),
    ),
    # The three that SD 3 reads, and a Llama.
    _embedding(
        "hidream/embedding/file",
        BaseModelType.HIDREAM,
        _CLIP_L,
        _CLIP_G,
        _T5,
        _LLAMA,
        special_case_of=("sd-3/embedding/file",),
    ),
    _embedding(
        "hunyuan-video/embedding/file",
        BaseModelType.HUNYUAN_VIDEO,
        _LLAMA,
        _CLIP_L,
        Absent("clip_g"),
    ),
    # Chroma's and PixArt's alike.
    _embedding("t5/embedding/file", None, _T5, Only(("t5", "t5_out"))),
)
"""What the bases' own modules do not hold."""
