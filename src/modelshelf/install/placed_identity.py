"""What the record of a model that lies elsewhere says it is: as it looks, and as a user says instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from modelshelf.blobs.fingerprint import fingerprint
from modelshelf.records.record_fields import fitting_fields, usual_variant
from modelshelf.records.user_words import detail_with
from modelshelf.schema.config import merge_config
from modelshelf.schema.override import Overridden, Override
from modelshelf.schema.quick_hash import quick_hash_of_file, quick_hash_of_folder
from modelshelf.schema.taxonomy import BaseModelType

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig
    from modelshelf.schema.identity import Identity
    from modelshelf.schema.source import SourceTree

__all__ = [
    "IDENTIFIED",
    "identified_fields",
    "looked_again",
    "quick_hash_of",
    "said_of",
    "taken_back_of",
]

IDENTIFIED = (
    "model_type",
    "model_format",
    "base_model",
    "bases",
    "variant",
    "prediction_type",
    "precision",
    "architecture",
    "detail",
)
"""Fields of a record that say what a model is."""
_FIELDS = {"type": ("model_type",), "format": ("model_format",), "bases": ("base_model", "bases")}
"""Field of `Override` → those of a record that say it, where they are called otherwise."""


def identified_fields(known: Overridden) -> dict[str, Any]:
    """Return the fields of a record that say what a model is, and how that is known."""
    identity, said = known.effective, known.override.fields
    found = {each: value for each in said if (value := getattr(known.detected, each))}
    bases = identity.bases or (BaseModelType.UNKNOWN,)
    return {
        "model_type": identity.type,
        "model_format": identity.format,
        "base_model": bases[0],
        "bases": bases,
        "variant": identity.variant or usual_variant(identity.type, identity.format, bases[0]),
        "prediction_type": identity.prediction_type,
        "precision": identity.precision,
        "architecture": identity.architecture,
        "detail": {
            "status": identity.status,
            "candidates": identity.candidates,
            "override": {each: getattr(known.override, each) for each in said} or None,
            "detected": found or None,
        },
    }


def quick_hash_of(tree: SourceTree) -> str:
    """Return the quick hash of a model, as the store has it of one that it holds.

    Raises:
        SourceError: A file of it cannot be read.
    """
    if tree.is_file:
        return quick_hash_of_file(fingerprint(tree.files[0]).imohash)
    return quick_hash_of_folder(
        (file.member, file.size, fingerprint(file).imohash) for file in tree.files
    )


def looked_again(config: AnyModelConfig, identity: Identity) -> AnyModelConfig:
    """Return a record of a model that looks like *identity* now; what a user said of it stays."""
    return _with(config, identified_fields(_said(config).over(identity)))


def taken_back_of(
    config: AnyModelConfig, taken_back: Collection[str], identity: Identity
) -> AnyModelConfig:
    """Return a record of which a user takes words back.

    Args:
        config: The record with these words.
        taken_back: Fields of `Override`; the others stay as they are.
        identity: What the model looks like.
    """
    detected = identified_fields(_said(config).without(taken_back).over(identity))
    fields = [field for word in taken_back for field in _FIELDS.get(word, (word,))]
    return _with(config, {field: detected[field] for field in (*fields, "detail")})


def said_of(config: AnyModelConfig, wish: Override) -> AnyModelConfig:
    """Return a record of which a user says *wish*, field by field.

    Raises:
        InvalidModelConfigException: No such model has its form on disk.
    """
    words = {word: getattr(wish, word) for word in wish.fields}
    if not words:
        return config
    said = {_FIELDS.get(word, (word,))[-1]: value for word, value in words.items()}
    return merge_config(config, said | {"detail": detail_with(config, words)})


def _said(config: AnyModelConfig) -> Override:
    detail = config.detail
    return Override() if detail is None or detail.override is None else detail.override.override


def _with(config: AnyModelConfig, found: Mapping[str, Any]) -> AnyModelConfig:
    """Return a record that says what was *found*, as far as its class can."""
    named = {"name": config.name, "path": config.path}
    deciding = {field: getattr(config, field) for field in IDENTIFIED}
    fitting = fitting_fields(named | deciding | dict(found))
    return merge_config(
        config, {field: value for field, value in fitting.items() if field in IDENTIFIED}
    )
