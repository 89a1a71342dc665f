"""The usual strangers under a model's file name, told by their first bytes."""

from __future__ import annotations

__all__ = ["guess_stranger"]

_STRANGERS = {
    b"version https://git-lfs": "a Git LFS pointer: the weights were never fetched",
    b"<!DOCTYPE": "a web page, not the file behind it",
    b"<!doctype": "a web page, not the file behind it",
    b"<html": "a web page, not the file behind it",
    b'{"error"': "the error message of a web service, not the file",
    b"PK\x03\x04": "a ZIP archive or PyTorch checkpoint under a wrong name",
    b"GGUF": "a GGUF file under a wrong name",
    b"lmgg": "a file of the GGML format that came before GGUF",
    b"tjgg": "a file of the GGML format that came before GGUF",
    b"\x80\x02": "a PyTorch checkpoint under a wrong name",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf'\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x89PNG\r\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    bytes(8): "a download that was given its size and never written",
}
_SHORTEST = 8


def guess_stranger(start: bytes) -> str:
    r"""Return words for the end of a sentence that says what *start* looks like, or nothing.

    A wrong suffix, and a page that was saved instead of the file, deserve a better word than a number
    that is too large.

    Args:
        start: The first bytes of a file that is not what it claims; 8 are enough for each.

    Example:
        >>> guess_stranger(b"<!DOCTYPE html>")
        '; it looks like a web page, not the file behind it'
        >>> guess_stranger(b"\1\0\0\0\0\0\0\0")
        ''
    """
    for magic, words in _STRANGERS.items():
        if start.startswith(magic) or (len(start) == _SHORTEST and magic.startswith(start)):
            return f"; it looks like {words}"
    return ""
