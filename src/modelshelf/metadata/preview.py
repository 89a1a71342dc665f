"""Pictures beside a model that show what it does: found by name, typed by their first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelshelf.errors import ModelshelfError
from modelshelf.formats import read_start
from modelshelf.metadata.beside import files_beside
from modelshelf.schema.metadata import Preview

__all__ = ["find_previews", "kind_of_picture"]

_SUFFIXES = ("png", "jpg", "jpeg", "webp", "gif", "avif", "mp4", "webm")
_NAMES = (
    *(f".preview.{suffix}" for suffix in _SUFFIXES),
    *(f".{suffix}" for suffix in _SUFFIXES),
    *(f".thumb.{suffix}" for suffix in ("jpg", "png")),
)
"""What programs put behind the model's name, the one to show first."""
_START = 16
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x1a\x45\xdf\xa3", "webm"),
)


def find_previews(model: Path) -> Iterator[Preview | str]:
    """Yield the pictures of *model*; a file of such a name that is none gives a sentence that says so.

    Args:
        model: The model file or folder as the user named it.
    """
    for _, path in files_beside(model, _NAMES):
        try:
            kind = kind_of_picture(read_start(path, _START))
            size = path.stat().st_size
        except (OSError, ModelshelfError):
            # It went away, or must not be read: no preview to show.
            yield f"{path.name}: cannot be read"
            continue
        yield (
            Preview(path.name, kind, size) if kind else f"{path.name}: is no picture that is known"
        )


def kind_of_picture(start: bytes) -> str:
    r"""Name what the first 16 bytes of a file begin; empty for anything that is no picture.

    Example:
        >>> kind_of_picture(b"RIFF\x24\0\0\0WEBPVP8 "), kind_of_picture(b"MZ\x90")
        ('webp', '')
    """
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp":
        return "avif" if start[8:12] in {b"avif", b"avis"} else "mp4"
    return ""
