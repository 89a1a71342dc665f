"""What the row of one record says, and back: no connection, no statement.

The record itself is the JSON text in the column `config`; the other columns repeat what is searched
and sorted by; see `config_tables`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from modelshelf.errors import InvalidModelConfigException
from modelshelf.schema.config import parse_config
from modelshelf.schema.config_problems import invalid_config, quoted
from modelshelf.schema.selector_matching import folded, searchable_text

if TYPE_CHECKING:
    from modelshelf.schema.config import AnyModelConfig

__all__ = ["parsed_config", "row_of", "storable"]


def storable(text: object) -> bool:
    r"""Say whether *text* is text that a database can hold, and so whether any record can have it.

    Example:
        >>> storable("a\0"), storable("\ud800"), storable(None), storable("ä")
        (False, False, False, True)
    """
    try:
        return isinstance(text, str) and b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def parsed_config(key: str, text: str) -> AnyModelConfig:
    """Return the record that the row of *key* keeps as *text*.

    Raises:
        InvalidModelConfigException: Somebody wrote past the program what no record can be.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"expected the JSON that this program writes, got something else: {error}"
        raise invalid_config(key, [("config", problem)]) from error
    # Imported here: who reads no record does not wait for forty classes.
    from modelshelf.schema.config_classes import class_of  # noqa: PLC0415 - see above

    try:
        kind = class_of(*(document[each] for each in ("model_type", "model_format", "base_model")))
        # What `parse_config` does besides is for what people write; `class_of` knows only its classes.
        config: AnyModelConfig = kind.model_validate(document)  # type: ignore[assignment]
    except (LookupError, TypeError, ValidationError):
        try:
            config = parse_config(document)
        except InvalidModelConfigException as error:
            # Of many, only the key says which: what stands there may have no name.
            raise InvalidModelConfigException(
                name=quoted(key)[1:-1], problem=error.problem, fields=error.fields
            ) from error
    if config.key != key:
        # Whoever changed it would look for a row that is not there.
        raise invalid_config(key, [("key", f"expected {quoted(key)}, got {quoted(config.key)}")])
    return config


def row_of(config: AnyModelConfig) -> dict[str, object]:
    """Return what the columns of `model_config` keep of a record, but for its id and whether it is hidden."""
    document = config.to_document()
    return {
        "key": config.key,
        "revision": config.revision,
        "type": config.model_type.value,
        "base": config.base_model.value,
        "name": config.name,
        "format": config.model_format.value,
        "size": config.size,
        "created_at": config.created_at,
        "updated_at": config.updated_at,
        "last_used_at": config.last_used_at,
        "variant": document.get("variant"),
        "prediction": document.get("prediction_type"),
        "folded_key": folded(config.key),
        "folded_name": folded(config.name),
        "folded_path": folded(config.path),
        "folded_author": _folded(config.author),
        "folded_license": _folded(config.license),
        "folded_source": _folded(config.source),
        "text": searchable_text(config),
        "config": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
    }


def _folded(text: str | None) -> str | None:
    return folded(text) if text else None
