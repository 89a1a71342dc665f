"""What somebody says about a model, beside what its tensors prove: a claim, never a proof.

Stages do not import each other. `metadata` reads sidecars and descriptions and makes these values of
them; `identify` takes them as an argument (`identify(path, declared=...)`) and lets them narrow what
structure leaves open. What lies inside the tensor file itself (`modelspec.*`, `ss_*`, GGUF fields) and
the configurations beside it `identify` reads on its own.

A reader makes one value per statement: a sidecar with a base model and a type makes one with both
fields; two sidecars make two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["Declared", "Trust"]


class Trust(IntEnum):
    """Kinds of statements, the most trusted first. A later one narrows what an earlier left open."""

    CONFIG = 1
    """A configuration beside the weights, which loaders obey: `scaling_factor`, `prediction_type`."""
    MARKER = 2
    """A tensor that is there to say something: `v_pred`, `edm_mean`."""
    METADATA = 3
    """Text inside the file: `modelspec.architecture`, `ss_base_model_version`."""
    SIDECAR = 4
    """A file beside it that some program wrote: `.civitai.info`, `.metadata.json`, `.cm-info.json`."""
    HINT = 5
    """A name of a file or folder. Users rename: last of all."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One statement about a model. Every field but the first three may be silent."""

    trust: Trust
    """What kind of statement it is."""
    where: str
    """Where it stands, such as `metadata:modelspec.architecture` or `model.civitai.info:baseModel`."""
    said: str
    """The words that stand there, cut to a length that fits a line: untrusted text."""
    bases: tuple[BaseModelType, ...] = ()
    """What the words mean: all bases that they may stand for; empty when they name none that is
    known."""
    type: ModelType | None = None
    """None where they say nothing about it."""
    variant: ModelVariantType | None = None
    """None where they say nothing about it."""
    prediction_type: SchedulerPredictionType | None = None
    """None where they say nothing about it."""
    architecture: str = ""
    """A finer name as `Identity.architecture` has it, such as `pony` or `illustrious`; else empty."""
