"""What a checkpoint becomes when it is split into the components of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.schema.manifest import PlannedPart

__all__ = ["ORIGINAL_FOLDER", "Conversion", "KeptWhole"]

ORIGINAL_FOLDER = ".original"
"""PART_FOLDER of the part that gives a converted checkpoint back; no component is called so."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A checkpoint as the parts of a diffusers pipeline; every byte of it is a byte of one of them."""

    parts: tuple[PlannedPart, ...]
    """The components, sorted by folder."""
    leftovers: PlannedPart
    """`model_index.json`."""
    original: PlannedPart
    """What the components do not hold, and the recipe that puts the checkpoint together again."""
    warnings: tuple[str, ...] = ()
    """What the file does not say and had to be chosen, one sentence each."""


@dataclass(frozen=True, slots=True)
class KeptWhole:
    """A checkpoint that stays one file."""

    reason: str
    """Why, as the end of a sentence."""
