"""Fields of a record, out of whatever was found out about a model or written somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from modelshelf.errors import InvalidModelConfigException
from modelshelf.records.revision import first_revision
from modelshelf.schema.metadata import Field, ModelMetadata
from modelshelf.schema.taxonomy import ModelFormat

__all__ = ["fitting_fields", "said_fields", "usual_variant"]


def said_fields(said: ModelMetadata) -> dict[str, Any]:
    """Return the fields that what stands in and beside a model fills in."""
    told = {
        "tags": list(said.tags),
        "author": said.first(Field.AUTHOR),
        "license": said.first(Field.LICENSE),
        "trigger_phrases": list(said.trigger_words),
        "cover_image": said.previews[0].name if said.previews else "",
    }
    return {name: value for name, value in told.items() if value}


def usual_variant(model_type: object, model_format: object, base: object) -> object:
    """Return the variant of a model of which none is known, as the class of its record has it."""
    # Imported here: who reads no record does not wait for forty classes.
    from modelshelf.schema.config_classes import class_of  # noqa: PLC0415 - see above

    try:
        return class_of(model_type, model_format, base).model_fields["variant"].default
    except LookupError:
        return None


_NEEDED = frozenset(
    {"name", "model_type", "model_format", "base_model", "bases", "path", "hash", "blake3", "size"}
)


def fitting_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a record that can be, of whatever was found out and written somewhere.

    What does not fit the model's class is left out; and no class is made for some forms on disk.
    """
    fitting = dict(fields)
    try:
        first_revision("0" * 32, fitting, datetime.fromtimestamp(0, UTC))
    except InvalidModelConfigException as error:
        wrong = {field.partition(".")[0] for field in error.fields.split(", ")}
        if wrong & _NEEDED or not wrong & fields.keys():
            return fitting | {"model_format": ModelFormat.UNKNOWN, "variant": None}
        return fitting_fields({name: value for name, value in fields.items() if name not in wrong})
    return fitting
