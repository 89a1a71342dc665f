"""T2I-Adapters: a ladder of small blocks beside a UNet, by how finely they cut their image.

SD 1 adapters cut it into squares of 8, SDXL's into squares of 16, so the first convolution takes 64
or 256 numbers of each colour.

Sources: `ldm/modules/encoders/adapter.py` of TencentARC/T2I-Adapter, `T2IAdapter` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition
from modelshelf.identify.family import Detail, Family
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_COLOURS = (1, 3)
_WIDTHS = (320, 640, 1280)
_SQUARES = ((BaseModelType.SD_1, 64), (BaseModelType.SDXL, 256))


def _full(prefix: str, block: str, square: int) -> tuple[Condition, ...]:
    inputs = tuple(square * colours for colours in _COLOURS)
    return (
        Tensor(f"{prefix}conv_in.weight", (320, inputs), rank=4),
        Tensor(f"{prefix}body.{block}.block1.weight", (_WIDTHS, _WIDTHS), rank=4),
        Tensor(f"{prefix}body.{block}.block2.weight", (_WIDTHS, _WIDTHS), rank=4),
    )


def _light(prefix: str, block: str, square: int) -> tuple[Condition, ...]:
    inputs = tuple(square * colours for colours in _COLOURS)
    return (
        Tensor(f"{prefix}body.0.in_conv.weight", (80, inputs), rank=4),
        Tensor(f"{prefix}body.#.out_conv.weight", (_WIDTHS,), rank=4),
        Tensor(f"{prefix}body.{block}.block1.weight", rank=4),
    )


def _adapter(
    base: BaseModelType, kind: str, naming: str, conditions: tuple[Condition, ...]
) -> Family:
    return Family(
        id=f"{base}/t2i-adapter/{kind}-{naming}",
        type=ModelType.T2I_ADAPTER,
        format=ModelFormat.DIFFUSERS if naming == "diffusers" else ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        details=(Detail("kind", kind),),
    )


FAMILIES = (
    *(
        _adapter(base, kind, naming, conditions(prefix, block, square))
        for base, square in _SQUARES
        for naming, prefix, blocks in (
            ("original", "", ("#", "#.body.#")),
            ("wrapped", "adapter.", ("#", "#.body.#")),
            ("diffusers", "adapter.", ("#.resnets.#", "#.resnets.#")),
        )
        for kind, conditions, block in (("full", _full, blocks[0]), ("light", _light, blocks[1]))
    ),
    Family(
        id="sd-1/t2i-adapter/style",
        type=ModelType.T2I_ADAPTER,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.SD_1,),
        conditions=(
            Tensor("style_embedding", (1, None, 1024), rank=3),
            Tensor("proj", (1024, 768), rank=2),
        ),
        details=(Detail("kind", "style"),),
    ),
)
"""One per base, kind and way of naming."""
