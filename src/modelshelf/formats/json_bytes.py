"""JSON that a server sent: parsed within bounds, or told to be none."""

from __future__ import annotations

import json

from modelshelf.formats.json_values import has_too_many_values

__all__ = ["parse_json_bytes"]


def parse_json_bytes(raw: bytes) -> object:
    r"""Return what *raw* says; None where it is no JSON, or would take far more memory than it has bytes.

    All text in it can be written as UTF-8: half of a surrogate pair becomes a question mark.

    Example:
        >>> parse_json_bytes(b'{"id": 1}'), parse_json_bytes(b"<html>"), parse_json_bytes(b"[" * 99_999)
        ({'id': 1}, None, None)
        >>> parse_json_bytes(b'["\\ud800", "\\ud83d\\ude00"]')
        ['?', '😀']
    """
    try:
        text = raw.decode("utf-8")
        if has_too_many_values(text):
            return None
        parsed = json.loads(text)
        if "\\ud" in text.lower():
            whole = json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace")
            parsed = json.loads(whole)
    except (ValueError, RecursionError):
        # Also numbers of more digits than Python converts.
        return None
    return parsed
