"""Recipes as JSON: which ranges of which stored files a checkpoint is made of.

Specified in `docs/format.md`, so that any program can put a checkpoint together again.
"""

from __future__ import annotations

import json
from typing import Any

from modelshelf.errors import InvalidJsonError, UnportableNameError
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import LARGEST_MATRIX, Piece, Recipe, Span, Transposed

__all__ = ["RECIPE_FORMAT", "parse_recipe", "write_recipe"]

RECIPE_FORMAT = "modelshelf-recipe"
_VERSION = 1
_SPAN, _MATRIX = 3, 5
"""Numbers in a line: file, offset, length; or file, offset, rows, columns, bytes of a number."""


def write_recipe(recipe: Recipe) -> bytes:
    """Write a recipe down; equal recipes give equal bytes.

    Example:
        >>> recipe = Recipe((("vae", MemberPath("a.safetensors")),), (Span(0, 8, 2),))
        >>> parse_recipe(write_recipe(recipe), path="recipe.json") == recipe
        True
    """
    document = {
        "format": RECIPE_FORMAT,
        "version": _VERSION,
        "size": recipe.size,
        "files": [[folder, member] for folder, member in recipe.files],
        "pieces": [_line(piece) for piece in recipe.pieces],
    }
    return (json.dumps(document, separators=(",", ":"), sort_keys=True) + "\n").encode()


def _line(piece: Piece) -> list[int]:
    if isinstance(piece, Transposed):
        return [piece.file, piece.offset, piece.rows, piece.columns, piece.itemsize]
    if isinstance(piece, Span):
        return [piece.file, piece.offset, piece.length]
    message = "a recipe has ranges of files alone; bytes of its own belong into one of them"
    raise TypeError(message)


def parse_recipe(content: bytes, *, path: str) -> Recipe:
    """Read a recipe, trusting nothing in it.

    Args:
        content: The document.
        path: For the error.

    Raises:
        InvalidJsonError: It is no recipe, or one of another version.
    """
    try:
        return _parse(json.loads(content))
    except UnportableNameError as error:
        raise InvalidJsonError(path=path, problem=str(error)) from error
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        problem = (
            f"expected a recipe of version {_VERSION}, got {str(error) or type(error).__name__}"
        )
        raise InvalidJsonError(path=path, problem=problem) from error


def _parse(document: dict[str, Any]) -> Recipe:
    kind = (document["format"], document["version"])
    if kind != (RECIPE_FORMAT, _VERSION):
        raise ValueError(kind)
    files = tuple((str(folder), MemberPath.parse(member)) for folder, member in document["files"])
    recipe = Recipe(files, tuple(_piece(line, len(files)) for line in document["pieces"]))
    if recipe.size != document["size"]:
        raise ValueError(recipe.size)
    return recipe


def _piece(line: list[int], files: int) -> Piece:
    numbers = [number for number in line if type(number) is int and number >= 0]
    if len(numbers) != len(line) or numbers[0] >= files:
        raise ValueError(line)
    if len(numbers) == _SPAN:
        return Span(*numbers)
    if len(numbers) == _MATRIX and numbers[-1] in {1, 2, 4, 8}:
        matrix = Transposed(*numbers)
        if matrix.length <= LARGEST_MATRIX:
            return matrix
    raise ValueError(line)
