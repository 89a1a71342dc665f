"""JSON that a server sent: parsed within bounds, or told to be none."""

from __future__ import annotations

import json

from modelshelf.formats.json_values import has_too_many_values

__all__ = ["parse_json_bytes"]


def parse_json_bytes(raw: bytes) -> object:
    """Return what *raw* says; None where it is no JSON, or would take far more memory than it has bytes.

    Example:
        >>> parse_json_bytes(b'{"id": 1}'), parse_json_bytes(b"<html>"), parse_json_bytes(b"[" * 99_999)
        ({'id': 1}, None, None)
    """
    try:
        text = raw.decode("utf-8")
        return None if has_too_many_values(text) else json.loads(text)
    except (ValueError, RecursionError):
        # Also numbers of more digits than Python converts.
        return None
