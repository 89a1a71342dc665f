"""What a field of a model's record may hold: text that every store can keep, bounded numbers, settings.

Every limit is far above what people write and far below what harms a page, a row or a YAML file.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = [
    "ANSWER_LIMIT",
    "DESCRIPTION_LIMIT",
    "LINE_LIMIT",
    "REFUSED",
    "TAG_LIMIT",
    "Answer",
    "Count",
    "Description",
    "HexDigest",
    "Key",
    "License",
    "Line",
    "ModelSourceType",
    "Name",
    "Path",
    "Seconds",
    "Settings",
    "Words",
]

LINE_LIMIT = 4_096
"""Characters of a path, a source, an author: as long as a path on Linux."""
NAME_LIMIT = 1_024
"""Characters of a name."""
KEY_LIMIT = 255
"""Characters of a key."""
DESCRIPTION_LIMIT = 100_000
"""Characters of a description or a license."""
ANSWER_LIMIT = 4_000_000
"""Characters of a hub's raw answer."""
TAG_LIMIT = 1_000
"""How many tags or trigger phrases a record has at most."""
SETTINGS_LIMIT = 100_000
"""Characters of the default settings, as JSON."""
SETTINGS_DEPTH = 20
"""How deep lists and mappings of the default settings lie within one another."""

# PostgreSQL keeps no NUL in text, and whoever reads the record in C stops there.
NO_NUL = r"^[^\x00]*$"

REFUSED: Final = "refused"
"""Pydantic's kind of problem for those that we find ourselves; the sentence says all."""


class ModelSourceType(StrEnum):
    """What kind of place a model came from."""

    PATH = "path"
    URL = "url"
    HF_REPO_ID = "hf_repo_id"
    CIVITAI = "civitai"


class License(str):
    """A license: text that can be asked for what it contains, as the document's own sample does.

    Source: `spec/model-manager-v2.md`, "search_by_tag".

    Example:
        >>> License("allowCommercialUse=Sell").contains("Sell")
        True
    """

    __slots__ = ()

    def contains(self, text: str) -> bool:
        """Say whether *text* is somewhere in it, case and all."""
        return text in self

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check it like any other text."""
        del source, handler
        text = core_schema.str_schema(max_length=DESCRIPTION_LIMIT, pattern=NO_NUL)
        plain = core_schema.plain_serializer_function_ser_schema(
            str.__str__, return_schema=core_schema.str_schema()
        )
        return core_schema.no_info_after_validator_function(cls, text, serialization=plain)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe it as the text that it is."""
        del schema
        return handler(core_schema.str_schema(max_length=DESCRIPTION_LIMIT))


def _without_repeats(words: list[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _listed(words: object) -> object:
    # A set has no order of its own; sorted, the record is the same each time.
    return sorted(words, key=str) if isinstance(words, set | frozenset) else words


def _is_too_deep(value: object, depth: int) -> bool:
    if depth < 0:
        return True
    if isinstance(value, dict):
        return any(_is_too_deep(each, depth - 1) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_is_too_deep(each, depth - 1) for each in value)
    return False


def _shallow(settings: object) -> object:
    """Refuse what lies too deep before anybody walks it."""
    if _is_too_deep(settings, SETTINGS_DEPTH):
        raise PydanticCustomError(
            REFUSED, "expected at most {depth} levels, got more", {"depth": SETTINGS_DEPTH}
        )
    return settings


def _storable(settings: dict[str, Any]) -> dict[str, Any]:
    """Refuse what no JSON text, or no database that keeps it, can hold."""
    try:
        text = json.dumps(settings, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:
        # UnicodeEncodeError too: its own words would quote the text that cannot be written.
        raise PydanticCustomError(
            REFUSED, "expected finite numbers and text that UTF-8 can express"
        ) from error
    if len(text) > SETTINGS_LIMIT:
        raise PydanticCustomError(
            REFUSED,
            "expected at most {limit} characters of JSON, got {length}",
            {"limit": SETTINGS_LIMIT, "length": len(text)},
        )
    if "\\u0000" in text and "\0" in "".join(_strings(settings)):
        raise PydanticCustomError(REFUSED, "expected text without NUL, got one")
    return settings


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [one for each in value.items() for part in each for one in _strings(part)]
    if isinstance(value, list):
        return [one for each in value for one in _strings(each)]
    return []


Key = Annotated[str, StringConstraints(max_length=KEY_LIMIT, pattern=NO_NUL)]
"""Up to 255 characters; empty for a record that no store has."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LIMIT, pattern=NO_NUL)]
Line = Annotated[str, StringConstraints(max_length=LINE_LIMIT, pattern=NO_NUL)]
Path = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LIMIT, pattern=NO_NUL)]
Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_LIMIT, pattern=NO_NUL)]
Answer = Annotated[str, StringConstraints(max_length=ANSWER_LIMIT, pattern=NO_NUL)]
HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""64 lower-case hexadecimal digits."""
Words = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=NAME_LIMIT, pattern=NO_NUL)]],
    Field(max_length=TAG_LIMIT),
    BeforeValidator(_listed),
    AfterValidator(_without_repeats),
]
"""Each once, in the order in which they were first given."""
Count = Annotated[int, Field(strict=True, ge=0, le=2**63 - 1)]
"""A whole number that a database column holds."""
Seconds = Annotated[float, Field(strict=True, ge=0, le=253_402_300_799, allow_inf_nan=False)]
"""Seconds since 1970, UTC, up to the end of the year 9999."""
Settings = Annotated[dict[str, JsonValue], BeforeValidator(_shallow), AfterValidator(_storable)]
"""What JSON can say, bounded in length and depth."""
