"""What a model is, and why we say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelRepoVariant,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["Component", "Evidence", "Identity", "IdentityStatus", "NearMiss"]


class IdentityStatus(StrEnum):
    """How far an answer goes. A lone broken file has none: reading it raises a `FormatError`."""

    IDENTIFIED = "identified"
    """Type and base are proven."""
    UNDECIDED = "undecided"
    """The type is proven, the base is one of the candidates."""
    AMBIGUOUS = "ambiguous"
    """Rules without a declared order agree; the near misses name them all. Where they agree on the
    type, it is given, with the bases of all as candidates."""
    PARTIAL = "partial"
    """A model of this kind, with parts of it missing: a lone shard, or a file cut out of another."""
    BROKEN = "broken"
    """Files of the folder are damaged and the others tell what it is; the evidence names each."""
    UNKNOWN = "unknown"
    """No rule agreed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation that decided something."""

    rule: str
    """Id of the rule that made it."""
    where: str
    """The tensor, the `file.json:field` or the folder that was looked at."""
    found: str
    """What was there: a shape, a value, a count."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that almost agreed."""

    rule: str
    """Id of the rule."""
    missing: str
    """The first condition it lacked, in words."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer of `identify`: every field that is known cites evidence.

    A wrong answer is worse than none: what keys, shapes and configs leave open is empty or a set of
    candidates, never a default.
    """

    type: ModelType
    """`unknown` where no family agreed."""
    format: ModelFormat
    """How it lies on disk."""
    bases: tuple[BaseModelType, ...] = ()
    """Every base that it is known to work with, the first its own; empty when undecided."""
    candidates: tuple[BaseModelType, ...] = ()
    """With *bases* empty: the bases that structure leaves possible; empty means nobody knows."""
    variant: ModelVariantType | None = None
    """None for kinds of models that have no variants."""
    prediction_type: SchedulerPredictionType | None = None
    """None where nothing beside the weights declares it."""
    repo_variant: ModelRepoVariant | None = None
    """None for anything but a diffusers folder."""
    precision: str | None = None
    """How its numbers are kept, such as `fp16`, `fp8_scaled`, `bnb_nf4` or `q4_k`; `mixed` where no
    form has most of the bytes; None where no header was read."""
    evidence: tuple[Evidence, ...] = ()
    """What decided, in a fixed order."""
    near_misses: tuple[NearMiss, ...] = ()
    """Rules that nearly agreed, nearest first; for people and for `shelf probe --explain`."""
    components: tuple[Component, ...] = ()
    """Of a pipeline folder: what each component is, sorted by folder."""
    status: IdentityStatus = IdentityStatus.IDENTIFIED
    """How far the answer goes."""
    architecture: str = ""
    """The published name of the architecture where it is finer than the base, such as `flux-fill`,
    `wan-2.2-ti2v-5b`, `qwen3-4b` or `t5-v1.1-xxl`; empty where the base says all."""
    details: tuple[tuple[str, str], ...] = ()
    """Finer facts as (name, value), sorted: `network` and `rank` of a LoRA, `scale` of an upscaler."""

    @property
    def base(self) -> BaseModelType:
        """The first of *bases*, or `unknown`."""
        return self.bases[0] if self.bases else BaseModelType.UNKNOWN


@dataclass(frozen=True, slots=True)
class Component:
    """One component folder of a pipeline."""

    folder: str
    """Its name in `model_index.json`, such as `text_encoder_2`."""
    class_name: str
    """The class that `model_index.json` gives for it, such as `CLIPTextModel`."""
    identity: Identity
    """What the folder holds."""
