"""ModelSpec 1.0.1: what a model says about itself in a shared vocabulary.

https://github.com/Stability-AI/ModelSpec; SwarmUI writes the same fields into a file beside the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelshelf.metadata.gathering import Gathering, as_line, as_text
from modelshelf.schema.metadata import Field
from modelshelf.schema.vocabulary import base_meant, prediction_meant

__all__ = ["PREFIX", "read_model_spec"]

PREFIX = "modelspec."

_FIELDS = {
    "title": Field.TITLE,
    "description": Field.DESCRIPTION,
    "author": Field.AUTHOR,
    "license": Field.LICENSE,
    "date": Field.DATE,
    "resolution": Field.RESOLUTION,
    "usage_hint": Field.USAGE_HINT,
    "merged_from": Field.MERGED_FROM,
    "implementation": Field.SOFTWARE,
    "hash_sha256": Field.DATA_SHA256,
}
_THUMBNAIL = "data:"
_KIND = 40


def read_model_spec(gathering: Gathering, fields: Mapping[str, Any], prefix: str = PREFIX) -> None:
    """Take what *fields* say under names that begin with *prefix*."""
    for name, field in _FIELDS.items():
        gathering.say(field, fields.get(prefix + name), prefix + name)
    gathering.say_all(
        Field.TRIGGER_WORD, fields.get(prefix + "trigger_phrase"), prefix + "trigger_phrase"
    )
    _say_tags(gathering, fields.get(prefix + "tags"), prefix + "tags")
    thumbnail = as_text(fields.get(prefix + "thumbnail"))[:_KIND]
    if thumbnail.startswith(_THUMBNAIL):
        kind = thumbnail.removeprefix(_THUMBNAIL).partition(";")[0]
        gathering.say(Field.THUMBNAIL, kind, prefix + "thumbnail")
    _claim(gathering, fields, prefix)


def _say_tags(gathering: Gathering, tags: object, key: str) -> None:
    listed = tags if isinstance(tags, list) else as_text(tags).split(",")
    gathering.say_all(Field.TAG, listed, key)


def _claim(gathering: Gathering, fields: Mapping[str, Any], prefix: str) -> None:
    architecture = as_text(fields.get(prefix + "architecture"))
    meaning = base_meant(architecture)
    if architecture:
        gathering.claim(prefix + "architecture", architecture, meaning)
    prediction = as_text(fields.get(prefix + "prediction_type"))
    if prediction:
        gathering.claim(
            prefix + "prediction_type",
            as_line(prediction, _KIND),
            prediction_type=prediction_meant(prediction),
        )
