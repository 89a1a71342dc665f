"""What a user says a model is: it wins, field by field, and what was detected is kept beside it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["OVERRIDABLE", "Overridden", "Override"]


@dataclass(frozen=True, slots=True)
class Override:
    """A user's word on a model. A field that is None leaves what was detected."""

    type: ModelType | None = None
    bases: tuple[BaseModelType, ...] | None = None
    """The first is the model's own; one that is said again counts once."""
    format: ModelFormat | None = None
    variant: ModelVariantType | None = None
    prediction_type: SchedulerPredictionType | None = None
    precision: str | None = None
    architecture: str | None = None

    def __post_init__(self) -> None:
        if self.bases is not None:
            object.__setattr__(self, "bases", tuple(dict.fromkeys(self.bases)))

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that are set, in order."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is not None)

    def without(self, taken_back: Collection[str]) -> Override:
        """Return what is left when a user takes the word on some fields back; one that has none is passed over.

        Example:
            >>> said = Override(type=ModelType.LORA, bases=(BaseModelType.SDXL,))
            >>> said.without({"type", "variant"}) == Override(bases=(BaseModelType.SDXL,))
            True
        """
        return replace(self, **dict.fromkeys(taken_back))

    def and_then(self, later: Override) -> Override:
        """Return both words together: on a field of which both say something, the later one.

        Example:
            >>> said = Override(type=ModelType.LORA, bases=(BaseModelType.SDXL,))
            >>> said.and_then(Override(bases=(BaseModelType.SD_1,))).bases
            (<BaseModelType.SD_1: 'sd-1'>,)
        """
        return replace(self, **{name: getattr(later, name) for name in later.fields})

    def over(self, detected: Identity) -> Overridden:
        """Return *detected* with this override on top of it.

        Putting it on twice is putting it on once, and a new detection takes the same override: nothing
        of the one is written into the other.

        Example:
            >>> detected = Identity(ModelType.VAE, ModelFormat.CHECKPOINT)
            >>> user = Override(bases=(BaseModelType.SDXL,))
            >>> user.over(detected).effective.base.value, user.over(detected).detected.base.value
            ('sdxl', 'unknown')
        """
        return Overridden(detected, self)


OVERRIDABLE = tuple(one.name for one in fields(Override))
"""Names of the fields of which a user may say something."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """An identity as it was detected, and what a user says instead. Taking it back loses nothing."""

    detected: Identity
    """What `identify` found."""
    override: Override = Override()
    """What the user said; the empty one changes nothing."""

    @property
    def effective(self) -> Identity:
        """What counts: the user's word where there is one, else what was detected."""
        said = {name: getattr(self.override, name) for name in self.override.fields}
        if not said:
            return self.detected
        if self.override.bases is not None:
            # With a base nothing is left to choose among.
            said["candidates"] = ()
        settled = replace(self.detected, **said)
        is_open = settled.status in {
            IdentityStatus.UNDECIDED,
            IdentityStatus.AMBIGUOUS,
            IdentityStatus.UNKNOWN,
        }
        if is_open and settled.bases and settled.type is not ModelType.UNKNOWN:
            return replace(settled, status=IdentityStatus.IDENTIFIED)
        return settled
