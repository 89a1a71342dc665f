"""Configuration files: JSON of bounded size and depth, from strangers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from modelshelf.errors import InvalidJsonError
from modelshelf.formats.json_values import (
    MOST_TEXT,
    MOST_VALUES,
    has_too_many_values,
    parsed_size,
)
from modelshelf.formats.opening import reading

__all__ = ["read_json"]

_LIMIT = 16 * 1024 * 1024
_DEPTH = 100
_HALVES = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path, *, limit: int = _LIMIT) -> dict[str, Any] | list[Any]:
    """Read the JSON object or array in the file *path*.

    Reads at most *limit* bytes, builds nothing deeper than 100 levels. Of a key written twice the
    last value counts and `NaN` passes: the programs that load these files take both, and modelshelf
    keeps their bytes whatever they say. Half a surrogate pair becomes a question mark.

    Args:
        path: A regular file.
        limit: Most bytes it may have; configuration files have kilobytes, the largest shard
            indexes a few megabytes.

    Raises:
        InvalidJsonError: It is too long or too deep, no UTF-8, no JSON, or a bare value.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.
    """
    with reading(path) as stream:
        raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise InvalidJsonError(path=str(path), problem=f"expected at most {limit} bytes, got more")
    text = _decode(path, raw)
    # A large index would be in memory once more while it is parsed.
    del raw
    document = _parse(path, text)
    if not isinstance(document, dict | list):
        kind = type(document).__name__
        raise InvalidJsonError(path=str(path), problem=f"expected an object or array, got {kind}")
    _check_depth(path, document)
    return document


def _decode(path: Path, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"expected UTF-8, got byte {raw[error.start]:#04x} at offset {error.start}"
        raise InvalidJsonError(path=str(path), problem=problem) from error
    if (size := parsed_size(text)) > MOST_TEXT:
        problem = f"expected at most {MOST_TEXT} bytes of text, got {size}"
        raise InvalidJsonError(path=str(path), problem=problem)
    if has_too_many_values(text):
        problem = f"expected at most {MOST_VALUES} values, got more"
        raise InvalidJsonError(path=str(path), problem=problem)
    return text


def _parse(path: Path, text: str) -> object:
    try:
        parsed: object = json.loads(text)
        if _HALVES.search(text):
            # Half a surrogate pair, which some programs cut out of an emoji, is no text to anybody else.
            whole = json.dumps(parsed, ensure_ascii=False).encode("utf-8", errors="replace")
            parsed = json.loads(whole)
    except json.JSONDecodeError as error:
        problem = f"{error.msg} at line {error.lineno} column {error.colno}"
        raise InvalidJsonError(path=str(path), problem=problem) from error
    except RecursionError as error:
        raise _too_deep(path) from error
    except ValueError as error:
        # Python refuses to convert numbers of more than 4300 digits.
        raise InvalidJsonError(path=str(path), problem="a number has too many digits") from error
    return parsed


def _check_depth(path: Path, document: dict[str, Any] | list[Any]) -> None:
    level: list[Any] = [document]
    for _ in range(_DEPTH):
        inner = [value.values() if isinstance(value, dict) else value for value in level]
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
        if not level:
            return
    raise _too_deep(path)


def _too_deep(path: Path) -> InvalidJsonError:
    return InvalidJsonError(path=str(path), problem=f"it is nested deeper than {_DEPTH} levels")
