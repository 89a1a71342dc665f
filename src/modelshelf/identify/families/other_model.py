"""A published model that no base is named for, as a file and as a component folder."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.condition import Condition, Setting
from modelshelf.identify.family import Family
from modelshelf.schema.taxonomy import ModelFormat, ModelType, SchedulerPredictionType

__all__ = ["OtherModel", "families_of"]


@dataclass(frozen=True, slots=True)
class OtherModel:
    """One architecture."""

    name: str
    """What `architecture` says of it; `-original` at its end tells another layout of the same one apart."""
    conditions: tuple[Condition, ...]
    """Of its file."""
    class_name: str = ""
    """Of its component folder; empty for a class that others have too."""
    type: ModelType = ModelType.TRANSFORMER
    """Of its component folder."""
    prediction: SchedulerPredictionType | None = SchedulerPredictionType.FLOW
    """What it predicts; None where it fills in tokens, or where published ones differ."""
    settings: tuple[Condition, ...] = ()
    """What else its component folder says, where another program calls a class of its own so."""


def families_of(others: tuple[OtherModel, ...]) -> tuple[Family, ...]:
    """Return each as a file, and as a folder where its class is its own."""
    return (
        *map(_file, others),
        *(_folder(other) for other in others if other.class_name),
    )


def _file(other: OtherModel) -> Family:
    return Family(
        id=f"other/main/{other.name}",
        type=ModelType.MAIN,
        format=ModelFormat.CHECKPOINT,
        conditions=other.conditions,
        architecture=other.name.removesuffix("-original"),
        prediction_type=other.prediction,
    )


def _folder(other: OtherModel) -> Family:
    return Family(
        id=f"other/{other.type}/{other.name}",
        type=other.type,
        format=ModelFormat.DIFFUSERS,
        conditions=(Setting("class", (other.class_name,)), *other.settings),
        architecture=other.name,
        prediction_type=other.prediction,
    )
