"""What the record of a model that lies elsewhere keeps of how it is known: the open, and the user's words.

Of a model that a library stores the library itself keeps this, beside its tables.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelshelf.schema.config_fields import Line
from modelshelf.schema.config_problems import invalid_config, problems_of
from modelshelf.schema.identity import IdentityStatus
from modelshelf.schema.override import OVERRIDABLE, Override
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
    SchedulerPredictionType,
)

__all__ = ["ModelDetail", "SaidFields", "check_words"]

_STRICT: ConfigDict = {"extra": "forbid", "frozen": True, "hide_input_in_errors": True}

_Bases = Annotated[tuple[BaseModelType, ...], Field(max_length=len(BaseModelType))]


class SaidFields(BaseModel):
    """Fields of `Override`, as a record can keep them. None where nothing is said."""

    model_config: ClassVar[ConfigDict] = _STRICT

    type: ModelType | None = None
    """What it is."""
    bases: Annotated[_Bases, Field(min_length=1)] | None = None
    """What it works with, its own first."""
    format: ModelFormat | None = None
    """How it lies on disk."""
    variant: ModelVariantType | None = None
    """What it takes."""
    prediction_type: SchedulerPredictionType | None = None
    """What it predicts."""
    precision: Line | None = None
    """How its numbers are kept."""
    architecture: Line | None = None
    """A finer name."""

    @property
    def override(self) -> Override:
        """The same as the word of a user.

        Example:
            >>> SaidFields(bases=("sdxl",)).override.fields
            ('bases',)
        """
        return Override(**{name: getattr(self, name) for name in OVERRIDABLE})


class ModelDetail(BaseModel):
    """How far an answer goes, and what a user says instead; parts of `ModelInfo.detail` by the same names."""

    model_config: ClassVar[ConfigDict] = _STRICT

    status: IdentityStatus | None = None
    """How far what was detected goes; None where nobody looked."""
    candidates: _Bases = ()
    """Of an open base, those that its structure leaves possible."""
    override: SaidFields | None = None
    """What a user says, which the record's own fields say too; None where nobody says anything."""
    detected: SaidFields | None = None
    """Of the fields in *override*, what was found; None where nothing was."""


def check_words(name: str, wish: Override) -> None:
    """Refuse a user's words that no record can keep.

    Args:
        name: The model's, for the error.
        wish: What the user says of it.

    Raises:
        InvalidModelConfigException: A word is too long, no text, or a list of no base.
    """
    try:
        SaidFields.model_validate({word: getattr(wish, word) for word in wish.fields})
    except ValidationError as error:
        problems = problems_of(error, SaidFields.model_fields, SaidFields.__name__)
        # Pydantic's own words may hold what no terminal can print.
        raise invalid_config(name, problems) from None
