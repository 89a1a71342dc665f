"""The two shapes in which families of diffusion transformers come: a file and a component folder.

Almost every denoiser after SDXL predicts a flow, and every published one comes as a lone file, bare
or wrapped, and as the `transformer` folder of a diffusers pipeline.
"""

from __future__ import annotations

from dataclasses import replace

from modelshelf.identify.condition import Both, Condition, Either, Never, Setting, Unset
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    SchedulerPredictionType,
)

__all__ = [
    "NO_CONTROL",
    "component",
    "diffusers_names",
    "goes_beyond_control",
    "main_file",
    "norm_of",
    "of_another_width",
    "weight_or_bias",
    "where_set",
]

NO_CONTROL = (Absent("controlnet*"), Absent("control_*"))
"""A ControlNet holds blocks of its base and is none."""


def goes_beyond_control(*tensors: str | Tensor) -> Either:
    """What no ControlNet has: the layer that gives the result, or a block with a higher number.

    A ControlNet begins as its base does, and what is its own comes last. So the first shard of one holds
    nothing that says so, and is the beginning of the base as well.

    Args:
        tensors: One of them is there; by its name, where any shape will do.
    """
    return Either(tuple(Tensor(one) if isinstance(one, str) else one for one in tensors))


def main_file(
    base: BaseModelType,
    layout: str,
    *conditions: Condition,
    architecture: str = "",
    traits: tuple[Trait, ...] = (),
    prediction: SchedulerPredictionType | None = SchedulerPredictionType.FLOW,
    blocks: tuple[tuple[str, int], ...] = (),
) -> Family:
    """A denoiser alone in a file, or the denoiser of a bundle.

    Args:
        base: What the conditions prove.
        layout: Whose names the file follows; `diffusers` decides the format too.
        conditions: All must hold.
        architecture: Published name, where it is finer than the base.
        traits: Finer points.
        prediction: What all models of the family predict.
        blocks: How many blocks the whole model has in each list, at least.
    """
    return Family(
        id=f"{base}/main/{layout}",
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS if layout == "diffusers" else ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        architecture=architecture,
        traits=traits,
        prediction_type=prediction,
        blocks=blocks,
    )


def component(
    base: BaseModelType,
    class_name: str,
    *conditions: Condition,
    architecture: str = "",
    traits: tuple[Trait, ...] = (),
    prediction: SchedulerPredictionType | None = SchedulerPredictionType.FLOW,
    kind: str = "folder",
) -> Family:
    """A denoiser as a component folder: its class, and what its configuration must say.

    Args:
        base: What class and fields prove.
        class_name: diffusers' class.
        conditions: Fields that tell this base from others with the same class.
        architecture: Published name, where it is finer than the base.
        traits: Finer points.
        prediction: What all models of the family predict.
        kind: Last word of the family's id, where a base has several.
    """
    return Family(
        id=f"{base}/transformer/{kind}",
        type=ModelType.TRANSFORMER,
        format=ModelFormat.DIFFUSERS,
        bases=(base,),
        conditions=(Setting("class", (class_name,)), *conditions),
        architecture=architecture,
        traits=traits,
        prediction_type=prediction,
    )


def of_another_width(family: Family, **heads: object) -> tuple[Family, Family]:
    """Return *family* as wide as published, and beside it what is all that but for its own width.

    Somebody made the base smaller, for a test or to train it anew: adapters of the base do not fit it, the
    other components do. What it says of itself decides.

    Args:
        family: A component, by its configuration.
        heads: Fields that say its width, as in `where_set`.
    """
    first, second = where_set(**heads)
    other = replace(
        family,
        id=f"{family.id}-of-another-width",
        bases=(),
        candidates=(*family.bases, BaseModelType.UNKNOWN),
        conditions=(*family.conditions, Never(Both(first, second))),
    )
    return replace(family, conditions=(*family.conditions, first, second)), other


def diffusers_names(name: str) -> Trait:
    """Where both ways of naming share the anchors: this tensor is diffusers' way alone."""
    return Trait(ModelFormat.DIFFUSERS, Tensor(name))


def norm_of(layer: str, *shape: int, below: int | None = None) -> Either:
    """A norm whose numbers its publisher calls `scale`, and ComfyUI, where it saves them, `weight`."""
    return Either(
        tuple(Tensor(f"{layer}.{word}", shape, rank=1, below=below) for word in ("scale", "weight"))
    )


def weight_or_bias(layer: str, outputs: int | tuple[int, ...]) -> Either:
    """A layer of this output width: by its bias, which quantising leaves alone; without, its weight."""
    weight = Both(Tensor(f"{layer}.weight", (outputs,)), Absent(f"{layer}.bias"))
    return Either((Tensor(f"{layer}.bias", (outputs,), rank=1), weight))


def where_set(**fields: object) -> tuple[Condition, ...]:
    """Ask a configuration for widths, where it says them.

    Those of text and latents join a denoiser to its surroundings, and adapters fit those of its heads.

    Args:
        fields: Name → the value that it has; several in a tuple. One that is left out, or null, has its
            class's own.

    Example:
        >>> [str(one) for one in where_set(in_channels=16)]
        ['`in_channels` unset in the configuration or `in_channels` set to 16 in the configuration']
    """
    return tuple(
        Either((Unset(name), Setting(name, value if isinstance(value, tuple) else (value,))))
        for name, value in fields.items()
    )
