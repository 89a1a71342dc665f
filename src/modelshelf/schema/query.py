"""Which models somebody asks for, as data: the record store turns it into its own language."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ModelQuery"]


@dataclass(frozen=True, slots=True)
class ModelQuery:
    """Conditions that must all hold; an empty query means every model that is not deleted."""

    ids: tuple[int, ...] | None = None
    """One of these ids."""
    key_prefix: str | None = None
    """A key that starts so."""
    name: str | None = None
    """Exactly this name."""
    contains: str | None = None
    """A name, source or description that holds this text, whatever its case."""
    digest_prefix: str | None = None
    """A model, part or file whose BLAKE3 or SHA-256 starts with these hexadecimal digits."""
